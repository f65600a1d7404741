#!/usr/bin/env python3
"""Requests through the governed transport, signed, against peers of the same run.

Usage: scripts/bench.d/transport.py    (BENCHMARKS names the executable; needs curl)
Wanted (issue 4): at least 0.95, 0.98 and 0.98 of what ten raw sockets reach at 20, 50 and 200 ms
latency; at 0 ms 1.2 times the throughput of `curl --parallel --parallel-max 10`, and less CPU for
a request than curl takes. Lists of a Lua program, start, JSON and tables included, at least as fast.
"""
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HPC = ROOT / ".build/release/hpc"
BENCHMARKS = os.environ.get("BENCHMARKS", ROOT / ".build/release/Benchmarks")


class Server:
    """The server, in a process of its own, until the block ends."""

    def __init__(self, latency):
        self.process = subprocess.Popen(
            [BENCHMARKS, "serve", str(latency)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return json.loads(self.process.stdout.readline())["port"]

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def report(name, ratio, wanted, good, **more):
    print(json.dumps({"benchmark": name, "ratio": round(ratio, 3), "wanted": wanted, "good": good, **more}))


def measured(command):
    """Seconds and CPU seconds of a child."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def utilisation(folder):
    for latency, count, wanted in ((20, 2000, 0.95), (50, 1000, 0.98), (200, 300, 0.98)):
        with Server(latency) as port:
            # Other work on the machine hurts one of the two at a time: the best of three.
            shares = [
                json.loads(subprocess.check_output([BENCHMARKS, "transport", str(port), str(count), folder]))["share"]
                for _ in range(3)]
        report(f"transport-{latency}ms", max(shares), f">= {wanted}", max(shares) >= wanted, all=[
            round(share, 3) for share in shares])


LISTS = """
local left = COUNT
for _ = 1, 32 do
  hpc.spawn(function()
    while left > 0 do left = left - 1; hpc.jobs.list() end
  end)
end
"""


def throughput(folder, count=20000):
    program = LISTS.replace("COUNT", str(count))
    with Server(0) as port:
        os.environ.update(
            HPC_ENDPOINT=f"http://127.0.0.1:{port}", NIFCLOUD_ACCESS_KEY_ID="A" * 20,
            NIFCLOUD_SECRET_ACCESS_KEY="B" * 40)
        pairs = []
        for _ in range(3):
            ours = measured([BENCHMARKS, "client", f"http://127.0.0.1:{port}/jobs", str(count), folder])
            curl = measured([
                "curl", "-s", "--parallel", "--parallel-max", "10", "-o", "/dev/null",
                f"http://127.0.0.1:{port}/jobs?[1-{count}]"])
            pairs.append((ours, curl, measured([HPC, "-e", program])))
    seconds, peer_seconds, lua_seconds = (min(pair[i][0] for pair in pairs) for i in (0, 1, 2))
    cpu, peer_cpu, lua_cpu = (min(pair[i][1] for pair in pairs) for i in (0, 1, 2))
    report("transport-throughput", peer_seconds / seconds, ">= 1.2", peer_seconds / seconds >= 1.2,
           requests_per_second=round(count / seconds), curl_requests_per_second=round(count / peer_seconds))
    report("transport-cpu", cpu / peer_cpu, "< 1", cpu < peer_cpu,
           microseconds=round(cpu / count * 1e6, 1), curl_microseconds=round(peer_cpu / count * 1e6, 1))
    report("transport-lua", peer_seconds / lua_seconds, ">= 1", peer_seconds >= lua_seconds,
           requests_per_second=round(count / lua_seconds), microseconds=round(lua_cpu / count * 1e6, 1))


with tempfile.TemporaryDirectory() as directory:
    utilisation(directory)
    throughput(directory)
