"""`hpc sim` in a process of its own, for checks of what goes through bucket and home."""
import json
import pathlib
import subprocess
import urllib.request

from support.harness import HPC, check, equal, folder, hpc


class Sim:
    """`hpc sim` in a process of its own; `env` leads a program to it."""

    def __init__(self, place, *words, faults=None, speed=60):
        self.place = pathlib.Path(place)
        if faults:
            plan = self.place / "plan.json"
            plan.write_text(json.dumps({"seed": 7, "faults": faults}))
            words += ("--faults", str(plan))
        self.process = subprocess.Popen(
            [HPC, "sim", "--home", str(self.place / "home"), "--speed", str(speed), *words],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.home = pathlib.Path(self.ready["home"])
        self.env = self.environment(self.ready["storage_endpoint"])

    def environment(self, storage):
        ready = self.ready
        return {
            "HPC_ENDPOINT": ready["endpoint"], "HPC_STORAGE_ENDPOINT": storage, "HPC_BUCKET": ready["bucket"],
            "NIFCLOUD_ACCESS_KEY_ID": ready["access_key_id"],
            "NIFCLOUD_SECRET_ACCESS_KEY": ready["secret_access_key"], "HPC_CLOCK_RATE": str(ready["speed"])}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def lua(self, code, *words, fails=False, **more):
        done = hpc(*words, "-", env={**self.env, **more.pop("env", {})}, stdin=code, **more)
        equal(done.returncode, 1 if fails else 0, done.stderr + done.stdout)
        return done.stderr if fails else done.stdout

    def state(self):
        with urllib.request.urlopen(self.ready["endpoint"] + "/_sim/state") as answer:
            return json.load(answer)

    def client(self):
        import boto3
        from botocore.config import Config
        return boto3.client(
            "s3", endpoint_url=self.ready["storage_endpoint"], region_name="jp-east-1",
            aws_access_key_id=self.ready["access_key_id"],
            aws_secret_access_key=self.ready["secret_access_key"],
            config=Config(s3={"addressing_style": "path"}))

    def keys(self):
        listed = self.client().list_objects_v2(Bucket=self.ready["bucket"])
        return [entry["Key"] for entry in listed.get("Contents", [])]


def sim(*words, **more):
    """Runs a check with a simulator and a place for files."""
    def decorate(function):
        def one():
            with folder() as place, Sim(place, *words, **more) as machine:
                function(machine, pathlib.Path(place))
        one.__name__ = function.__name__
        return check(one)
    return decorate


def tree(path):
    return {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}
