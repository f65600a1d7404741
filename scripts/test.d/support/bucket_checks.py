"""Checks of ObjectStore against a bucket that others wrote; `run(server)` runs them."""

import hashlib
import os
import pathlib
import signal
import sys
import time
import urllib.error
import urllib.request

from botocore.exceptions import ClientError

from support.buckets import Moto, Proxy, Rclone, batch, drive, start_driver
from support.harness import check, contains, equal, folder, main

MIB = 1 << 20
PARTS = {"STORE_PART_SIZE": str(5 * MIB), "STORE_THRESHOLD": str(8 * MIB)}
KEYS = [
    "plain", "with/slashes/in it", "a b", "a+b", "100%", "%2F", "%2f/x", "日本語/結果.dat", "e\u0301", "~x",
    "a&b=c?d#e", "quote\"'", "<&>", "semi;colon", "star*", "(round)", "[square]", "{curly}", "pipe|",
    "back`tick", "caret^", "dollar$", "comma,", "at@", "emoji 😀", "!", "=", ":", "a:b", "UPPER/lower",
]


def noise(size, seed=1):
    """Bytes without a pattern, the same for the same seed."""
    block = b"".join(hashlib.sha256(b"%d/%d" % (seed, n)).digest() for n in range(1024))
    return b"".join(
        hashlib.sha256(b"%d:%d" % (seed, n)).digest() + block for n in range(size // len(block) + 1))[:size]


_checks = []


def both(function):
    """Registers a check for every server."""
    _checks.append((function, (Moto, Rclone)))
    return function


def only(kind):
    """Registers a check for one kind of server."""
    def register(function):
        _checks.append((function, (kind,)))
        return function
    return register


@both
def unsigned_and_wrongly_signed_requests_are_refused(server, place):
    # First the judge itself: it does judge.
    try:
        urllib.request.urlopen(f"{server.endpoint}/{server.bucket}?list-type=2")
        raise AssertionError("an unsigned request was accepted")
    except urllib.error.HTTPError as error:
        # 403 would be right; moto breaks and rclone calls it a bad request.
        assert error.code >= 400, error.code
    said = drive(server, "list", fails=True, secret="wrong/secret")
    contains(said["error"], "does not accept these credentials", "403")
    said = drive(server, "list", fails=True, key="AKIANOBODY")
    contains(said["error"], "does not accept these credentials", "403")


@both
def keys_of_every_kind(server, place):
    client = server.client()
    texts = {key: "content of " + key for key in KEYS}
    put = batch(server, [["write", key, text] for key, text in texts.items()])
    read = batch(server, [["read", key] for key in KEYS])
    head = batch(server, [["head", key] for key in KEYS])
    for number, (key, text) in enumerate(texts.items()):
        equal(put[number]["etag"], hashlib.md5(text.encode()).hexdigest(), key)
        equal(client.get_object(Bucket=server.bucket, Key=key)["Body"].read().decode(), text, key)
        equal(read[number]["text"], text, key)
        equal(head[number]["size"], len(text.encode()), key)
    listed = drive(server, "list")
    equal(sorted(listed["keys"]), sorted(KEYS))
    listed = drive(server, "list", "", "/")
    equal(sorted(listed["prefixes"]), sorted({k.split("/")[0] + "/" for k in KEYS if "/" in k}))
    equal(drive(server, "list", "with/sl")["keys"], ["with/slashes/in it"])
    equal(drive(server, "delete", *KEYS)["failures"], [])
    equal(drive(server, "list")["keys"], [])
    drive(server, "delete", "never there")


@both
def files_of_every_size(server, place):
    client = server.client()
    for size in (0, 1, MIB, MIB + 1, 8 * MIB, 8 * MIB + 1, 17 * MIB + 3):
        content = noise(size, seed=size)
        (place / "file").write_bytes(content)
        put = drive(server, "put", place / "file", "dir/file", env=PARTS)
        head = client.head_object(Bucket=server.bucket, Key="dir/file")
        equal(head["ContentLength"], size)
        equal(put["sha256"], hashlib.sha256(content).hexdigest())
        equal(hashlib.sha256(client.get_object(Bucket=server.bucket, Key="dir/file")["Body"].read()).hexdigest(),
              put["sha256"])
        drive(server, "get", "dir/file", place / "new/back", env=PARTS)
        equal((place / "new/back").read_bytes() == content, True, f"content of {size} bytes")
        equal(os.listdir(place / "new"), ["back"])
    try:
        equal(client.list_multipart_uploads(Bucket=server.bucket).get("Uploads", []), [])
    except ClientError as error:
        # rclone does not know this request.
        equal(error.response["Error"]["Code"], "NotImplemented")
    drive(server, "delete", "dir/file")


@both
def errors_say_what_to_do(server, place):
    said = drive(server, "get", "missing", place / "x", fails=True)
    contains(said["error"], "there is no such object", "404")
    contains(said["kind"], "noSuchKey")
    said = drive(server, "list", bucket="no-such-bucket", fails=True)
    contains(said["error"], "no such bucket", "HPC_BUCKET")
    (place / "f").write_bytes(b"x")
    said = drive(server, "put", place / "f", "k", bucket="no-such-bucket", fails=True)
    contains(said["error"], "no such bucket")
    said = drive(server, "put", place / "nothing", "k", fails=True)
    contains(said["error"], "does not exist")
    said = drive(server, "put", place, "k", fails=True)
    contains(said["error"], "is a folder")
    equal(sorted(os.listdir(place)), ["f"])


@only(Moto)
def rights_are_respected(server, place):
    (place / "f").write_bytes(b"x")
    said = drive(server, "put", place / "f", "k", fails=True, key=server.reader, secret=server.reader_secret)
    contains(said["error"], "may not do that", "403")


@both
def killed_downloads_go_on(server, place):
    content = noise(40 * MIB, seed=4)
    server.client().put_object(Bucket=server.bucket, Key="big", Body=content)
    proxy = Proxy(server.endpoint)
    proxy.hold(down=23 * MIB)
    process = start_driver(server, "get", "big", place / "big", endpoint=proxy.endpoint,
                           env={**PARTS, "STORE_CONNECTIONS": "2"})
    assert proxy.held.wait(60), "nothing came"
    process.send_signal(signal.SIGKILL)
    process.wait()
    equal(os.listdir(place), [".big.hpc-partial"])
    proxy.hold(down=None)
    proxy.count["down"] = 0
    drive(server, "get", "big", place / "big", endpoint=proxy.endpoint, env=PARTS)
    equal(os.listdir(place), ["big"])
    equal((place / "big").read_bytes() == content, True, "content")
    # At most the two chunks that were on their way are fetched again.
    assert proxy.count["down"] < 28 * MIB, f"{proxy.count['down']} bytes came again"
    proxy.close()
    drive(server, "delete", "big")


@both
def killed_uploads_leave_nothing(server, place):
    (place / "big").write_bytes(noise(40 * MIB, seed=5))
    for env in (PARTS, {}):
        proxy = Proxy(server.endpoint)
        proxy.hold(up=17 * MIB)
        process = start_driver(server, "put", place / "big", "up/big", endpoint=proxy.endpoint, env=env)
        assert proxy.held.wait(60), "nothing was sent"
        process.send_signal(signal.SIGKILL)
        process.wait()
        proxy.close()
        equal(drive(server, "list", "up/")["keys"], [])
    drive(server, "put", place / "big", "up/big", env=PARTS)
    equal(drive(server, "list", "up/")["keys"], ["up/big"])
    drive(server, "delete", "up/big")


@both
def lost_connections_are_survived(server, place):
    content = noise(20 * MIB, seed=6)
    server.client().put_object(Bucket=server.bucket, Key="k", Body=content)
    proxy = Proxy(server.endpoint)
    process = start_driver(server, "get", "k", place / "k", endpoint=proxy.endpoint, env=PARTS)
    proxy.close()
    _, _ = process.communicate(timeout=120)
    for name in os.listdir(place):
        assert name != "k" or (place / "k").read_bytes() == content, "a half file under its name"
    drive(server, "delete", "k")


@both
def folders_there_and_back(server, place):
    files = {f"sub {n % 7}/é{n}.dat": noise(n * 997, seed=n) for n in range(60)}
    files["top"] = b""
    files["large"] = noise(11 * MIB, seed=8)
    for name, content in files.items():
        (place / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "out" / name).write_bytes(content)
    said = drive(server, "push", place / "out", "tree/1", env=PARTS)
    equal((said["transferred"], said["failures"]), (len(files), []))
    said = drive(server, "push", place / "out", "tree/1", env=PARTS)
    equal((said["transferred"], said["unchanged"]), (0, len(files)))
    said = drive(server, "pull", "tree/1", place / "back", env=PARTS)
    equal((said["transferred"], said["failures"]), (len(files), []))
    for name, content in files.items():
        equal((place / "back" / name).read_bytes() == content, True, name)
    equal(sum(len(found) for _, _, found in os.walk(place / "back")), len(files))
    (place / "back" / "large").unlink()
    (place / "back" / "top").write_bytes(b"changed")
    said = drive(server, "pull", "tree/1", place / "back", env=PARTS)
    equal((said["transferred"], said["unchanged"]), (2, len(files) - 2))
    said = drive(server, "pull", "tree/1", place / "some", "é3*.dat")
    equal(said["transferred"], sum(name.split("/")[-1].startswith("é3") for name in files))
    drive(server, "delete", *[f"tree/1/{name}" for name in files])
    equal(drive(server, "list")["keys"], [])


@only(Moto)
def keys_stay_in_their_folder(server, place):
    client = server.client()
    bad = ["../escape", "a/../../escape", "/abs", "a//b", "./x"]
    for key in bad:
        client.put_object(Bucket=server.bucket, Key="t/" + key, Body=b"evil")
    client.put_object(Bucket=server.bucket, Key="t/good", Body=b"good")
    said = drive(server, "pull", "t", place / "in")
    equal((said["transferred"], len(said["failures"])), (1, len(bad)))
    contains(said["failures"][0], "outside of the target folder")
    equal((os.listdir(place), os.listdir(place / "in")), (["in"], ["good"]))
    equal(drive(server, "delete", *["t/" + key for key in [*bad, "good"]])["failures"], [])
    equal(drive(server, "list")["keys"], [])


@only(Moto)
def pages_follow_each_other(server, place):
    keys = [f"pages/{n:05d} é+%" for n in range(1234)]
    client = server.client()
    for key in keys:
        client.put_object(Bucket=server.bucket, Key=key, Body=b"")
    assert drive(server, "list", "pages/")["keys"] == keys
    equal(drive(server, "count", "pages/")["pages"], 2)
    # A thousand would take it minutes.
    equal(drive(server, "delete", *keys[:30])["failures"], [])
    equal(drive(server, "count", "pages/")["objects"], len(keys) - 30)


def run(server):
    """Runs what this server is able to judge, and ends it."""
    for function, kinds in _checks:
        if not isinstance(server, kinds):
            continue

        def one(function=function):
            start = time.monotonic()
            with folder() as place:
                function(server, pathlib.Path(place))
            if os.environ.get("TIMES"):
                print(f"{time.monotonic() - start:6.1f} s  {function.__name__}")
        one.__name__ = function.__name__
        check(one)
    # Ended from outside, the server ends as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    finally:
        server.stop()
