#!/bin/sh
# Strong scaling: the same problem on ever more nodes.
#PJM -L "rscgrp=small"
mpiexec ./solver --size 4096 --nodes "$nodes" > time.txt
