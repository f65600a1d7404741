#!/usr/bin/env python3
"""1,000 reads from Lua through ten connections to a server with 50 ms latency, beside ten raw
sockets in the same run."""
import asyncio
import os
import pathlib
import subprocess
import sys
import threading
import time

HPC = str(pathlib.Path(__file__).resolve().parents[2] / ".build" / "release" / "hpc")
LATENCY = 0.05
BODY = b'{"job_id": "1", "job_name": "a", "status": "RUN"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


async def serve(reader, writer):
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(LATENCY)
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def raw(port, count):
    async def one(share):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(share):
            writer.write(b"GET /jobs/1 HTTP/1.1\r\nHost: h\r\n\r\n")
            await reader.readexactly(len(ANSWER))
        writer.close()
    start = time.perf_counter()
    await asyncio.gather(*[one(count // 10) for _ in range(10)])
    return time.perf_counter() - start


def main():
    ready = threading.Event()
    box = {}

    def run():
        async def body():
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            box["port"] = server.sockets[0].getsockname()[1]
            ready.set()
            await server.serve_forever()
        asyncio.run(body())

    threading.Thread(target=run, daemon=True).start()
    ready.wait()
    env = {**os.environ, "HPC_ENDPOINT": f"http://127.0.0.1:{box['port']}",
           "NIFCLOUD_ACCESS_KEY_ID": "A" * 20, "NIFCLOUD_SECRET_ACCESS_KEY": "B" * 40}
    program = """
        local ids = {} for i = 1, 1000 do ids[i] = 1 end
        hpc.map({1,1,1,1,1,1,1,1,1,1}, hpc.jobs.get, {concurrency = 10})
        local t = hpc.clock()
        hpc.map(ids, hpc.jobs.get, {concurrency = 100})
        print(hpc.clock() - t)
    """
    theirs = asyncio.run(raw(box["port"], 1000))
    done = subprocess.run([HPC, "-"], input=program, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    ours = float(done.stdout)
    theirs = min(theirs, asyncio.run(raw(box["port"], 1000)))
    print(f"1,000 reads at 50 ms: hpc {ours:.2f} s, ten raw sockets {theirs:.2f} s, "
          f"share {theirs / ours:.3f} (target >= 0.95)")


main()
