"""The service as an outsider would write it: answers by the published reference, and judges every
signature with botocore."""

import http.server
import json
import sys
import threading
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY = "AKIDEXAMPLE0000000001"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION, SERVICE = "jp-east-1", "hpc-api"

JOB = {
    "job_id": "6291500", "job_name": "job1.sh", "status": "RNA", "user": "a03010",
    "group": "rccs-aot", "start_date": "2021-04-12T11:25:00", "elapsed_time": "0000:00:00",
    "node_require": "12", "priority": "127", "accept": "2021-04-12T11:25:50", "queue": "small",
    "Fugaku:elapsed_limit": "0000:01:00", "Fugaku:md": "NM", "Fugaku:vnode": "-",
    "Fugaku:core": "-", "Fugaku:v_mem": "-", "Fugaku:v_pol": "-", "Fugaku:e_pol": "-",
    "Fugaku:rank": "bychip", "Fugaku:lst": "QUE", "Fugaku:ec": "0", "Fugaku:pc": "0",
    "Fugaku:sn": "0", "Fugaku:reason": "-",
}


def signature(method, url, headers, body):
    """What botocore computes for the headers that the client chose to sign."""
    authorization = headers["Authorization"]
    signed = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(
        method=method, url=url, data=body,
        headers={n: headers[n] for n in signed if n != "host"})
    request.context["timestamp"] = headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials(KEY, SECRET), SERVICE, REGION)
    names = {n.lower() for n in signed}
    auth.headers_to_sign = lambda r, keep=auth.headers_to_sign: _only(keep(r), names)
    canonical = auth.canonical_request(request)
    return auth.signature(auth.string_to_sign(request, canonical), request)


def _only(headers, names):
    for name in list(headers.keys()):
        if name.lower() not in names:
            del headers[name]
    return headers


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that ends before its answer is what some checks are about."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Service:
    """One server on loopback; `reply` may be replaced to answer otherwise."""

    def __init__(self):
        self.requests = []
        self.bad_signatures = []
        self.jobs = [dict(JOB), dict(JOB, job_id="6291501", status="RUN")]
        self.reply = self.answer
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                service.judge(self, body)
                service.requests.append((self.command, self.path, dict(self.headers), body))
                service.reply(self, body)

            do_GET = do_POST = do_DELETE = do_PUT = handle_any

            def log_message(self, *_):
                pass

            def send(self, status, body=b"", headers=()):
                if not isinstance(body, bytes):
                    body = json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def env(self):
        """What a user would export."""
        return {
            "HPC_ENDPOINT": self.endpoint, "NIFCLOUD_ACCESS_KEY_ID": KEY,
            "NIFCLOUD_SECRET_ACCESS_KEY": SECRET,
        }

    def judge(self, handler, body):
        given = handler.headers.get("Authorization", "").split("Signature=")[-1]
        try:
            want = signature(handler.command, self.endpoint + handler.path, handler.headers, body)
        except Exception as error:
            want = f"not computable: {error!r}"
        scope = f"/{REGION}/{SERVICE}/aws4_request"
        if given != want or scope not in handler.headers.get("Authorization", ""):
            self.bad_signatures.append((handler.command, handler.path, given, want))

    def answer(self, handler, body):
        """The published reference, in small."""
        path = urllib.parse.urlsplit(handler.path).path
        method = handler.command
        if method == "POST" and (
            handler.headers.get("Content-Type") != "application/json;charset=utf-8"
        ):
            return handler.send(400, {"code": "GeneralError", "message": "Invalid Content-Type."})
        if (method, path) == ("GET", "/jobs"):
            return handler.send(200, self.jobs)
        if (method, path) == ("POST", "/jobs"):
            return handler.send(201, {"job_id": 6291502}, [("Location", "/jobs/6291502")])
        if (method, path) == ("POST", "/files/sync"):
            return handler.send(200, {"requestid": 123456})
        if (method, path) == ("GET", "/files/sync/123456"):
            return handler.send(200, {"status": "complete", "result": "0"})
        if path.startswith("/jobs/"):
            job = next((j for j in self.jobs if j["job_id"] == path[6:]), None)
            if job is None:
                return handler.send(
                    404, {"code": "GeneralError", "message": "Operation not permitted."})
            return handler.send(204) if method == "DELETE" else handler.send(200, job)
        return handler.send(
            404, {"code": "Client.URLNotFound", "message": "A specified URL is not found."})
