#!/usr/bin/env python3
"""10,000 waiters for 10,000 jobs: memory of a waiter, CPU of the poller at a 10 s interval.

Usage: scripts/bench.d/waiters.py    (BENCHMARKS names the executable)
Wanted (issue 4): at most 6 KB a waiter, at most 2 % of a core with an unchanged list.
The peer of the same run is Python's json reading the changed list once, as a poller does.
"""
import json
import os
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCHMARKS = os.environ.get("BENCHMARKS", ROOT / ".build/release/Benchmarks")


def python_json(size):
    job = {f"Fugaku:field{n}": "2021-04-12T11:25" for n in range(13)}
    text = json.dumps([dict(job, job_id=str(n)) for n in range(size // len(json.dumps(job)))])
    start = time.process_time()
    json.loads(text)
    return (time.process_time() - start) * size / len(text)


result = json.loads(subprocess.check_output([BENCHMARKS, "waiters", "10000"]))
peer = python_json(result["list_bytes"])
unchanged, changed = result["cpu_per_unchanged_poll"] / 10, result["cpu_per_changed_poll"] / 10
good = result["bytes_per_waiter"] <= 6144 and unchanged <= 0.02
print(json.dumps({
    "benchmark": "waiters", "bytes_per_waiter": round(result["bytes_per_waiter"]),
    "core_unchanged_percent": round(unchanged * 100, 3), "core_changed_percent": round(changed * 100, 2),
    "ratio_changed_poll_to_python_json": round(result["cpu_per_changed_poll"] / peer, 2),
    "wanted": "<= 6144 bytes a waiter, <= 2 % of a core unchanged", "good": good}))
