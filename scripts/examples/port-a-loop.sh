#!/bin/sh
#PJM -L "node=1"
#PJM -L "elapse=00:05:00"
#PJM -L "rscgrp=small"
#PJM -N damping
#PJM -j
# Energy left of an oscillator after a time, for one damping.
awk -v c=@damping@ 'BEGIN {
  x = 1; v = 0; dt = 0.001
  for (t = 0; t < 10; t += dt) { v -= (x + c * v) * dt; x += v * dt }
  printf "%.6f\n", (x * x + v * v) / 2
}' > energy-@damping@.txt
