#!/usr/bin/env python3
"""Drives the simulator's bucket with boto3, a client that is not ours.

usage: bucket_boto3.py 'READY LINE OF hpc sim'
"""
import base64
import hashlib
import io
import json
import os
import random
import sys
import threading
import urllib.error
import urllib.request

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
from botocore.config import Config
from botocore.exceptions import ClientError

READY = json.loads(sys.argv[1])
BUCKET = READY["bucket"]


def client(secret=None, key=None, **options):
    return boto3.client(
        "s3",
        endpoint_url=READY["storage_endpoint"],
        aws_access_key_id=key or READY["access_key_id"],
        aws_secret_access_key=secret or READY["secret_access_key"],
        region_name=options.pop("region", READY["region"]),
        config=Config(s3={"addressing_style": "path", **options}, retries={"max_attempts": 1}),
    )


S3 = client()


def code_of(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def expect(actual, wanted, what):
    if actual != wanted:
        sys.exit(f"bucket_boto3: {what}: {actual!r} instead of {wanted!r}")


def clear():
    for page in S3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for item in page.get("Contents", []):
            S3.delete_object(Bucket=BUCKET, Key=item["Key"])


ODD_KEYS = [
    "plain", "a/b/c.txt", "with space", "plus+and%percent", "%2F", "ümläut/日本語", "..", "../up",
    "a//b", "trailing/", "semi;colon", "quo\"te'", "<&>", "new\nline", "e\u0301", "\u00e9",
    "question?mark#hash", "x" * 1024, "tilde~*()!", "a=b&c=d", ".", "\\back",
]


def odd_keys():
    for key in ODD_KEYS:
        body = hashlib.sha256(key.encode()).digest() * 3
        put = S3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata={"k": "v 1"}, ContentType="text/x")
        expect(put["ETag"], '"%s"' % hashlib.md5(body).hexdigest(), "etag of " + key)
    listed = [o["Key"] for o in S3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    expect(listed, sorted(ODD_KEYS, key=lambda k: k.encode()), "listing of odd keys")
    first = [o["Key"] for o in S3.list_objects(Bucket=BUCKET)["Contents"]]
    expect(first, listed, "listing of version 1")
    for key in ODD_KEYS:
        body = hashlib.sha256(key.encode()).digest() * 3
        got = S3.get_object(Bucket=BUCKET, Key=key)
        expect(got["Body"].read(), body, "body of " + key)
        expect(got["Metadata"], {"k": "v 1"}, "metadata of " + key)
        expect(got["ContentType"], "text/x", "type of " + key)
        head = S3.head_object(Bucket=BUCKET, Key=key)
        expect(head["ContentLength"], len(body), "length of " + key)
    answer = S3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": k} for k in ODD_KEYS if k != "new\nline"]})
    expect(len(answer["Deleted"]), len(ODD_KEYS) - 1, "deleted many")
    S3.delete_object(Bucket=BUCKET, Key="new\nline")
    expect(S3.list_objects_v2(Bucket=BUCKET)["KeyCount"], 0, "empty after deletion")


def ranges():
    body = bytes(range(256)) * 40
    S3.put_object(Bucket=BUCKET, Key="r", Body=body)
    for text, part in [
        ("bytes=0-0", body[:1]), ("bytes=100-199", body[100:200]), ("bytes=10000-", body[10000:]),
        ("bytes=-7", body[-7:]), ("bytes=10239-99999", body[10239:]), ("bytes=-99999", body),
    ]:
        got = S3.get_object(Bucket=BUCKET, Key="r", Range=text)
        expect(got["Body"].read(), part, text)
        expect(got["ResponseMetadata"]["HTTPStatusCode"], 206, text)
    expect(code_of(S3.get_object, Bucket=BUCKET, Key="r", Range="bytes=10240-"), "InvalidRange", "range behind")
    etag = S3.head_object(Bucket=BUCKET, Key="r")["ETag"]
    expect(S3.get_object(Bucket=BUCKET, Key="r", IfMatch=etag)["Body"].read(), body, "If-Match")
    expect(code_of(S3.get_object, Bucket=BUCKET, Key="r", IfMatch='"other"'), "PreconditionFailed", "If-Match")
    expect(code_of(S3.get_object, Bucket=BUCKET, Key="r", IfNoneMatch=etag), "304", "If-None-Match")
    expect(code_of(S3.put_object, Bucket=BUCKET, Key="r", Body=b"", IfNoneMatch="*"), "PreconditionFailed", "put once")
    S3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    expect(S3.get_object(Bucket=BUCKET, Key="empty")["Body"].read(), b"", "empty object")
    S3.copy_object(Bucket=BUCKET, Key="copy of r", CopySource={"Bucket": BUCKET, "Key": "r"})
    expect(S3.get_object(Bucket=BUCKET, Key="copy of r")["Body"].read(), body, "copy")
    clear()


def pages():
    generator = random.Random(7)
    keys = sorted({
        "/".join(generator.choice(["a", "b", "c1", "ü", "x y"]) for _ in range(generator.randint(1, 4)))
        + str(generator.randint(0, 999)) for _ in range(90)
    }, key=lambda k: k.encode())
    for key in keys:
        S3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    for prefix in ["", "a", "a/", "ü/", "none"]:
        for delimiter in ["", "/", "1"]:
            objects, prefixes = [], set()
            for key in keys:
                if not key.startswith(prefix):
                    continue
                at = key.find(delimiter, len(prefix)) if delimiter else -1
                if at >= 0:
                    prefixes.add(key[: at + len(delimiter)])
                else:
                    objects.append(key)
            for kind in ["list_objects_v2", "list_objects"]:
                for size in [3, 1000]:
                    got, got_prefixes = [], []
                    paginator = S3.get_paginator(kind)
                    for page in paginator.paginate(
                        Bucket=BUCKET, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": size}
                    ):
                        got += [o["Key"] for o in page.get("Contents", [])]
                        got_prefixes += [p["Prefix"] for p in page.get("CommonPrefixes", [])]
                    expect(got, objects, f"{kind} {prefix!r} {delimiter!r} {size}")
                    expect(got_prefixes, sorted(prefixes, key=lambda k: k.encode()), f"prefixes {kind} {prefix!r} {delimiter!r} {size}")
    after = S3.list_objects_v2(Bucket=BUCKET, StartAfter=keys[10])["Contents"]
    expect([o["Key"] for o in after], keys[11:], "start-after")
    clear()


def multipart():
    part = os.urandom(5 << 20)
    upload = S3.create_multipart_upload(Bucket=BUCKET, Key="big one", Metadata={"a": "b"})["UploadId"]
    etags = {}
    for number, body in [(2, b"tail"), (1, part), (2, b"the tail")]:
        etags[number] = S3.upload_part(Bucket=BUCKET, Key="big one", UploadId=upload, PartNumber=number, Body=body)["ETag"]
    listed = S3.list_parts(Bucket=BUCKET, Key="big one", UploadId=upload)["Parts"]
    expect([(p["PartNumber"], p["Size"]) for p in listed], [(1, 5 << 20), (2, 8)], "parts")
    expect([u["UploadId"] for u in S3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]], [upload], "uploads")
    expect(code_of(S3.head_object, Bucket=BUCKET, Key="big one"), "404", "not there yet")

    def complete(parts):
        return S3.complete_multipart_upload(Bucket=BUCKET, Key="big one", UploadId=upload, MultipartUpload={"Parts": parts})

    one, two = {"PartNumber": 1, "ETag": etags[1]}, {"PartNumber": 2, "ETag": etags[2]}
    expect(code_of(complete, [two, one]), "InvalidPartOrder", "order")
    expect(code_of(complete, [one, {"PartNumber": 2, "ETag": '"0"'}]), "InvalidPart", "etag")
    expect(code_of(complete, [one, {"PartNumber": 3, "ETag": etags[2]}]), "InvalidPart", "number")
    done = complete([one, two])
    digest = hashlib.md5(hashlib.md5(part).digest() + hashlib.md5(b"the tail").digest()).hexdigest()
    expect(done["ETag"], f'"{digest}-2"', "etag of parts")
    got = S3.get_object(Bucket=BUCKET, Key="big one")
    expect(got["Body"].read(), part + b"the tail", "joined")
    expect(got["Metadata"], {"a": "b"}, "metadata of parts")
    expect(code_of(complete, [one, two]), "NoSuchUpload", "twice")
    small = S3.create_multipart_upload(Bucket=BUCKET, Key="s")["UploadId"]
    tags = [S3.upload_part(Bucket=BUCKET, Key="s", UploadId=small, PartNumber=n, Body=b"x")["ETag"] for n in (1, 2)]
    expect(code_of(S3.complete_multipart_upload, Bucket=BUCKET, Key="s", UploadId=small, MultipartUpload={
        "Parts": [{"PartNumber": n + 1, "ETag": t} for n, t in enumerate(tags)]}), "EntityTooSmall", "small parts")
    S3.abort_multipart_upload(Bucket=BUCKET, Key="s", UploadId=small)
    expect(code_of(S3.list_parts, Bucket=BUCKET, Key="s", UploadId=small), "NoSuchUpload", "aborted")
    big = os.urandom(20 << 20)
    S3.upload_fileobj(io.BytesIO(big), BUCKET, "managed")
    target = io.BytesIO()
    S3.download_fileobj(BUCKET, "managed", target)
    expect(target.getvalue() == big, True, "managed transfer")
    clear()


def refusals():
    expect(code_of(S3.get_object, Bucket=BUCKET, Key="none"), "NoSuchKey", "no key")
    expect(code_of(S3.list_objects_v2, Bucket="another-bucket"), "NoSuchBucket", "no bucket")
    expect(code_of(S3.head_bucket, Bucket="another-bucket"), "404", "head of no bucket")
    expect(code_of(client(secret="wrong").list_objects_v2, Bucket=BUCKET), "SignatureDoesNotMatch", "secret")
    expect(code_of(client(key="nobody").list_objects_v2, Bucket=BUCKET), "InvalidAccessKeyId", "key")
    expect(code_of(client(region="us-east-1").list_objects_v2, Bucket=BUCKET), "AuthorizationHeaderMalformed", "region")
    expect(code_of(S3.create_bucket, Bucket="another-bucket"), "AccessDenied", "create")
    expect(code_of(S3.put_object, Bucket=BUCKET, Key="m", Body=b"x", ContentMD5=base64.b64encode(b"0" * 16).decode()), "BadDigest", "md5")
    expect(code_of(S3.put_object, Bucket=BUCKET, Key="m", Body=b"x", ContentMD5="no md5"), "InvalidDigest", "md5")
    expect(code_of(S3.get_object_acl, Bucket=BUCKET, Key="m"), "NotImplemented", "acl")
    expect(code_of(S3.head_object, Bucket=BUCKET, Key="m"), "404", "nothing was kept")
    try:
        urllib.request.urlopen(f"{READY['storage_endpoint']}/{BUCKET}")
        sys.exit("bucket_boto3: an unsigned request was answered")
    except urllib.error.HTTPError as error:
        expect(error.code, 403, "unsigned")


def raw_put(content_sha256, body, headers, key="framed"):
    """A PUT whose body and declared hash are ours to choose."""
    url = f"{READY['storage_endpoint']}/{BUCKET}/{key}"
    request = botocore.awsrequest.AWSRequest("PUT", url, data=b"", headers={**headers, "X-Amz-Content-SHA256": content_sha256})
    credentials = botocore.credentials.Credentials(READY["access_key_id"], READY["secret_access_key"])
    signer = botocore.auth.S3SigV4Auth(credentials, "s3", READY["region"])
    signer.payload = lambda _: content_sha256
    signer.add_auth(request)
    frames = body(request, credentials) if callable(body) else body
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=frames, method="PUT", headers=dict(request.headers))) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def frames_of(chunks, spoil=False, trailer=b""):
    def build(request, credentials):
        import hmac

        authorization = request.headers["Authorization"]
        previous = authorization.split("Signature=")[1]
        scope = authorization.split("Credential=")[1].split(",")[0].split("/", 1)[1]
        secret = b"AWS4" + credentials.secret_key.encode()
        for step in scope.split("/"):
            secret = hmac.new(secret, step.encode(), hashlib.sha256).digest()
        result = b""
        for chunk in chunks + [b""]:
            text = "\n".join([
                "AWS4-HMAC-SHA256-PAYLOAD", request.headers["X-Amz-Date"], scope, previous,
                hashlib.sha256(b"").hexdigest(), hashlib.sha256(chunk).hexdigest(),
            ])
            previous = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
            sent = chunk[::-1] if spoil else chunk
            result += b"%x;chunk-signature=%s\r\n" % (len(chunk), previous.encode()) + sent + (b"\r\n" if chunk else b"")
        return result + trailer + b"\r\n"

    return build


def framed():
    chunks = [os.urandom(70000), os.urandom(8192), b"end"]
    length = {"x-amz-decoded-content-length": str(sum(map(len, chunks))), "Content-Encoding": "aws-chunked"}
    signed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    expect(raw_put(signed, frames_of(chunks), length), 200, "framed")
    got = S3.get_object(Bucket=BUCKET, Key="framed")
    expect(got["Body"].read(), b"".join(chunks), "body out of frames")
    expect(got.get("ContentEncoding"), None, "frames are not the object's encoding")
    expect(raw_put(signed, frames_of(chunks, spoil=True), length)[0], 403, "spoiled frame")
    expect(raw_put(signed, frames_of(chunks[:2]), length)[0], 400, "short frames")
    plain = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    expect(raw_put("STREAMING-UNSIGNED-PAYLOAD-TRAILER", plain, length), 200, "frames without signatures")
    expect(S3.get_object(Bucket=BUCKET, Key="framed")["Body"].read(), b"".join(chunks), "body of plain frames")
    expect(raw_put("UNSIGNED-PAYLOAD", b"free", {}), 200, "unsigned payload")
    wrong = raw_put(hashlib.sha256(b"other").hexdigest(), b"this", {})
    expect("XAmzContentSHA256Mismatch" in wrong[1], True, "content hash")
    clear()


def crowd():
    """Many at once on one key and on many: each read gives one whole version."""
    bodies = [bytes([n]) * 50_000 for n in range(8)]
    failures = []

    def work(number):
        own = client()
        for turn in range(12):
            own.put_object(Bucket=BUCKET, Key="shared", Body=bodies[number])
            own.put_object(Bucket=BUCKET, Key=f"own/{number}/{turn}", Body=bodies[number])
            got = own.get_object(Bucket=BUCKET, Key="shared")["Body"].read()
            if got not in bodies:
                failures.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(failures, [], "torn reads")
    expect(S3.list_objects_v2(Bucket=BUCKET, Prefix="own/")["KeyCount"], 96, "objects of the crowd")
    clear()


def service():
    expect([b["Name"] for b in S3.list_buckets()["Buckets"]], [BUCKET], "buckets")
    S3.head_bucket(Bucket=BUCKET)
    S3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": READY["region"]})
    expect(S3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"], READY["region"], "location")


clear()
for step in [service, odd_keys, ranges, pages, multipart, refusals, framed, crowd]:
    step()
print("bucket_boto3: all as S3 would")
