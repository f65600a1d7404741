"""Programs that are started, watched and ended."""

import os
import subprocess
import time

from support.harness import HPC, equal


def start(service, code, *options, env=(), **more):
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **service.env, **dict(env)}
    return subprocess.Popen([HPC, *options, "-e", code], env=env, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def ends(process, within=20):
    out, err = process.communicate(timeout=within)
    return process.returncode, out, err


def ready(process):
    equal(process.stdout.readline(), "ready\n")


def until(condition, within=20):
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.005)  # polled: the server's own thread notes it
