#!/bin/sh
#PJM -L "rscgrp=small"
awk -v T={{T}} -v L={{L}} -v seed={{point}} -v warm=100 -v sweeps=1500 -f ising.awk > ising.json
