"""`hpc sim` as a process of its own, and what it counted."""

import json
import os
import subprocess
import time
import urllib.request

from support.harness import HPC


class Simulator:
    """A simulator with a home of its own; ends with the block."""

    def __init__(self, *options, speed=60, path=os.environ["PATH"]):
        self.options, self.path = ["--speed", str(speed), *options], path

    def __enter__(self):
        env = {"PATH": self.path, "HOME": "/nonexistent", "LANG": "C.UTF-8"}
        self.process = subprocess.Popen(
            [HPC, "sim", *self.options], env=env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.ready = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def env(self, home):
        """What a user would export; `home` holds the state directory."""
        ready = self.ready
        return {
            "HPC_ENDPOINT": ready["endpoint"], "HPC_REGION": ready["region"],
            "HPC_STORAGE_ENDPOINT": ready["storage_endpoint"], "HPC_BUCKET": ready["bucket"],
            "HPC_CLOCK_RATE": str(ready["speed"]), "HOME": str(home),
            "NIFCLOUD_ACCESS_KEY_ID": ready["access_key_id"],
            "NIFCLOUD_SECRET_ACCESS_KEY": ready["secret_access_key"],
        }

    def state(self):
        with urllib.request.urlopen(self.ready["endpoint"] + "/_sim/state", timeout=20) as answer:
            return json.load(answer)

    def requests(self, prefix=""):
        """How many requests of that kind the API has had."""
        counts = self.state()["requests"]
        return sum(n for name, n in counts.items() if name.startswith(prefix))


def until(condition, within=40, what="the condition"):
    """Waits until a condition holds and answers its value."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true in {within} s")
