#!/usr/bin/env python3
"""Start-up: `hpc -e ''` beside `curl --version`, the floor of linking libcurl."""
import os
import pathlib
import resource
import statistics
import subprocess
import time

HPC = str(pathlib.Path(__file__).resolve().parents[2] / ".build" / "release" / "hpc")


def once(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def resident(command):
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_maxrss / 1024


ours, theirs = [], []
for _ in range(60):
    ours.append(once([HPC, "-e", ""]))
    theirs.append(once(["curl", "--version"]))
a, b = statistics.median(ours) * 1000, statistics.median(theirs) * 1000
print(f"start-up: hpc {a:.1f} ms, curl --version {b:.1f} ms, ratio {a / b:.2f} (target <= 1.3)")
print(f"resident: hpc -e '' {resident([HPC, '-e', '']):.1f} MB (target <= 25)")
