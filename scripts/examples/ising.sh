#!/bin/sh
# One point: temperature T and size L come from the sweep, {{point}} makes each seed another.
awk -v T={{T}} -v L={{L}} -v seed={{point}} -v warm=100 -v sweeps=1500 -f ising.awk > ising.json
