#!/bin/sh
#PJM -L "rscgrp=small"
awk -v T={{T}} -v L={{L}} -v seed={{point}} -v warm=150 -v sweeps=300 -f ising.awk > ising.json
