"""Buckets that others wrote, served on loopback: moto, with signature checks on, and rclone. And a
proxy that stops a transfer at a chosen byte. Nothing here is part of hpc."""

import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
VENV = ROOT / ".build" / "venv"
DRIVER = os.environ.get("BENCHMARKS", str(ROOT / ".build" / "release" / "Benchmarks"))
REGION = "jp-east-1"


class Server:
    """A server process; stopped by its id."""

    bucket = "home"

    def start(self, command, pattern, **more):
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more)
        lines = []
        while True:
            line = self.process.stderr.readline()
            if not line:
                raise RuntimeError(f"{command[0]} did not start: {''.join(lines)}")
            lines.append(line)
            found = re.search(pattern, line)
            if found:
                break
        # Nobody reads on: a full pipe would stop the server.
        threading.Thread(target=self._drain, daemon=True).start()
        self.endpoint = found.group(1).rstrip("/")

    def _drain(self):
        for _ in self.process.stderr:
            pass

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def client(self, **more):
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}), **more)


class Moto(Server):
    """moto[server]: users and keys are made while its checks are off, then they are switched on."""

    def __init__(self):
        import boto3

        env = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "1000", "MOTO_S3_CUSTOM_ENDPOINTS": ""}
        self.start([str(VENV / "bin/moto_server"), "-H", "127.0.0.1", "-p", "0"],
                   r"Running on (http://127\.0\.0\.1:\d+)", env=env)
        iam = boto3.client("iam", endpoint_url=self.endpoint, region_name=REGION,
                           aws_access_key_id="none", aws_secret_access_key="none")
        self.key, self.secret = self._user(iam, "owner", "s3:*")
        self.reader, self.reader_secret = self._user(iam, "reader", "s3:Get*")
        self.client().create_bucket(
            Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        request = urllib.request.Request(
            self.endpoint + "/moto-api/reset-auth", data=b"0", method="POST",
            headers={"Content-Type": "text/plain"})
        urllib.request.urlopen(request).read()

    def _user(self, iam, name, action):
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        iam.put_user_policy(
            UserName=name, PolicyName="all",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        pair = iam.create_access_key(UserName=name)["AccessKey"]
        return pair["AccessKeyId"], pair["SecretAccessKey"]


class Rclone(Server):
    """`rclone serve s3` over a folder."""

    key, secret = "rcloneaccesskey", "rclonesecretkey/with+signs"

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hpc-rclone-")
        self.path = pathlib.Path(self.folder.name)
        (self.path / self.bucket).mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": self.folder.name + ".none",
                    "RCLONE_CONFIG": "/dev/null"}
        self.start(
            [str(VENV / "bin/rclone"), "serve", "s3", "--addr", "127.0.0.1:0", "--auth-key",
             f"{self.key},{self.secret}", "--vfs-cache-mode", "off",
             self.folder.name], r"(http://127\.0\.0\.1:\d+)/", env=self.env)

    def stop(self):
        super().stop()
        self.folder.cleanup()


def batch(server, commands):
    """Runs commands in one process of the driver and returns what it says to each."""
    process = start_driver(server, "batch", stdin=subprocess.PIPE)
    out, err = process.communicate("".join(json.dumps(words) + "\n" for words in commands), timeout=300)
    assert process.returncode == 0, f"{process.returncode} {out} {err}"
    said = [json.loads(line) for line in out.splitlines()]
    assert len(said) == len(commands), out
    return said


def start_driver(server, command, *words, endpoint=None, bucket=None, secret=None, key=None, env=None, **more):
    """Starts the Swift driver; its one line of JSON tells what came out."""
    clean = {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent",
        "NIFCLOUD_ACCESS_KEY_ID": key or server.key,
        "NIFCLOUD_SECRET_ACCESS_KEY": secret or server.secret, **(env or {})}
    return subprocess.Popen(
        [DRIVER, "store", command, endpoint or server.endpoint, bucket or server.bucket,
         *map(str, words)], env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def drive(server, command, *words, fails=False, **more):
    """Runs the driver to its end and returns what it says."""
    process = start_driver(server, command, *words, **more)
    out, err = process.communicate(timeout=600)
    assert process.returncode == (1 if fails else 0), f"{command} {words}: {process.returncode} {out} {err}"
    secret = more.get("secret") or server.secret
    assert secret not in out + err, "the secret key was printed"
    return json.loads(out)


class Proxy:
    """Forwards connections to a server; `hold(up=…, down=…)` stops them for good after so many
    bytes, and `held` says that it has."""

    def __init__(self, endpoint):
        host, port = endpoint.split("//")[1].split(":")
        self.target = (host, int(port))
        self.held = threading.Event()
        self.free = threading.Event()
        self.lock = threading.Lock()
        self.left = {"up": None, "down": None}
        self.count = {"up": 0, "down": 0}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, **limits):
        with self.lock:
            self.left.update(limits)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            for way, source, sink in (("up", client, server), ("down", server, client)):
                threading.Thread(target=self._pump, args=(way, source, sink), daemon=True).start()

    def _pump(self, way, source, sink):
        try:
            while data := source.recv(1 << 16):
                with self.lock:
                    if self.left[way] is not None:
                        data = data[:self.left[way]]
                        self.left[way] -= len(data)
                    self.count[way] += len(data)
                    held = self.left[way] == 0
                sink.sendall(data)
                if held:
                    self.held.set()
                    # Until the client goes, or is let go.
                    end = source if way == "up" else sink
                    end.settimeout(0.05)
                    while not self.free.is_set():
                        try:
                            if not end.recv(1 << 16 if way == "up" else 1, socket.MSG_PEEK if way == "down" else 0):
                                break
                        except TimeoutError:
                            continue
                        if way == "down":
                            self.free.wait(0.05)
                    break
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def release(self):
        """Breaks the connections that are held, and holds no more."""
        self.hold(up=None, down=None)
        self.free.set()

    def close(self):
        self.free.set()
        self.listener.close()
