#!/usr/bin/env python3
"""The prompt: when it is there, how soon keys echo, Tab in a large table, a long list to a pager."""
import os
import pathlib
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "test.d"))
from support.service import JOB, Service  # noqa: E402

HPC = os.environ.get("HPC_BINARY") or str(ROOT / ".build" / "release" / "hpc")


class Session:
    """A program on a terminal; times are taken when bytes arrive, no screen is kept."""

    def __init__(self, *command, env=None):
        self.seen = b""
        self.home = tempfile.TemporaryDirectory(prefix="hpc-bench-")
        self.master, slave = pty.openpty()
        import fcntl
        import struct
        import termios
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        clean = {"PATH": os.environ["PATH"], "HOME": self.home.name, "TERM": "xterm-256color",
                 "LANG": "C.UTF-8", "PAGER": "cat > /dev/null", **(env or {})}
        self.begin = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                                        env=clean, start_new_session=True)
        os.close(slave)

    def until(self, text, within=30):
        """Reads until a text has come, and takes all up to it; the moment when it had."""
        end = time.monotonic() + within
        while text not in self.seen:
            if time.monotonic() > end:
                raise SystemExit(f"{text!r} never came, but {self.seen[-500:]!r}")
            if select.select([self.master], [], [], 0.5)[0]:
                self.seen += os.read(self.master, 1 << 16)
        self.seen = self.seen.split(text, 1)[1]
        return time.perf_counter()

    def quiet(self):
        """Drops what comes, until nothing does for a moment."""
        while select.select([self.master], [], [], 0.03)[0]:
            os.read(self.master, 1 << 16)
        self.seen = b""

    def type(self, keys):
        os.write(self.master, keys.encode())
        return time.perf_counter()

    def run(self, form):
        self.type(form + "\r")
        self.until(b"\x1b[?2004l")
        return self.until(b"hpc>")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        self.home.cleanup()


def milliseconds(values):
    return 1000 * statistics.median(values)


prompts, scripts = [], []
for _ in range(40):
    session = Session(HPC)
    prompts.append(session.until(b"hpc>") - session.begin)
    session.close()
    session = Session(HPC, "-e", "")
    session.process.wait()
    scripts.append(time.perf_counter() - session.begin)
    session.close()
a, b = milliseconds(prompts), milliseconds(scripts)
print(f"prompt: {a:.1f} ms, hpc -e '' {b:.1f} ms, bound 1.3 x + 10 = {1.3 * b + 10:.1f} ms")


def echoes(*sessions, count=600):
    """For each session the median, p99 and maximum; they take turns, so that all meet the same load."""
    times = [[] for _ in sessions]
    for index in range(count):
        key = "abcdefghij"[index % 10]
        for session, taken in zip(sessions, times):
            session.seen = b""  # what a line laid out again has left
            start = session.type(key)
            taken.append(1000 * (session.until(key.encode()) - start))
            if index % 50 == 49:
                session.type("\x15")
                session.quiet()
            time.sleep(0.003)
    for taken in times:
        taken.sort()
    return [f"p50 {t[len(t) // 2]:.2f} ms, p99 {t[int(len(t) * 0.99)]:.2f} ms, most {t[-1]:.2f} ms" for t in times]


peer = Session("bash", "--norc", "-i", env={"PS1": "hpc> "})
peer.until(b"hpc>")
for name, code in (
    ("idle", "1"),
    ("1,000 tasks that wake every 20 ms",
     "for i = 1, 1000 do hpc.spawn(function() while true do hpc.sleep(0.02) end end) end"),
    ("1,000 tasks that never pause",
     "for i = 1, 1000 do hpc.spawn(function() while true do hpc.sleep(0) end end) end"),
    ("1,000 tasks that compute for half a millisecond at a time",
     "for i = 1, 1000 do hpc.spawn(function() while true do for k = 1, 50000 do end hpc.sleep(0) end end) end"),
):
    session = Session(HPC)
    session.until(b"hpc>")
    session.run(code)
    ours, theirs = echoes(session, peer)
    session.close()
    print(f"key echo, {name}: {ours} (target <= 5); bash meanwhile: {theirs}")
peer.close()

session = Session(HPC)
session.until(b"hpc>")
session.run("t = {} for i = 1, 10000 do t['key_' .. i] = i end")
completing, listing = [], []
for _ in range(15):
    session.type("t.k")
    session.until(b"t.k")
    completing.append(-session.type("\t") + session.until(b"ey_"))
    listing.append(-session.type("\t") + session.until(b"t.key_"))
    session.type("\x15")
    session.quiet()
session.close()
print(f"Tab in 10,000 entries: completes {milliseconds(completing):.1f} ms, "
      f"lists {milliseconds(listing):.1f} ms (target <= 50)")

with Service() as service:
    service.judge = lambda *_: None  # a signature over 5 MB of answer is not what is measured
    service.jobs = [dict(JOB, job_id=str(6_000_000 + i), job_name=f"job{i}.sh",
                         status="QUE" if i % 3 else "RUN") for i in range(10_000)]
    session = Session(HPC, env=service.env)
    session.until(b"hpc>")
    session.run("l = hpc.jobs.list()")
    shown = []
    for _ in range(7):
        session.quiet()
        session.type("l")
        session.until(b"l")
        start = session.type("\r")
        shown.append(session.until(b"hpc>") - start)
    session.close()
    rows = [" ".join(job[k] for k in ("job_id", "job_name", "status", "user")) for job in service.jobs]
    begin = time.perf_counter()
    subprocess.run("cat > /dev/null", shell=True, input="\n".join(rows).encode(), check=True)
    floor = time.perf_counter() - begin
print(f"10,000 jobs to a pager: {milliseconds(shown):.0f} ms (target <= 100; "
      f"handing bytes of that size to one takes {1000 * floor:.0f})")
