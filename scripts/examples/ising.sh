#!/bin/sh
# One point: temperature T and size L come from the sweep, {{point}} makes each seed another.
awk -v T={{T}} -v L={{L}} -v seed={{point}} -v warm=150 -v sweeps=300 -f ising.awk > ising.json
