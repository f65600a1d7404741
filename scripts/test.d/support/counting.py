"""A server that counts connections as the kernel sees them, for programs that share ten of them."""

import heapq
import itertools
import json
import select
import socket
import threading
import time

JOB = {"job_id": "1", "job_name": "a.sh", "status": "RUN"}


class CountingServer:
    """Answers every request after `latency` seconds; like the service, refuses what comes over more
    than `limit` connections with 500. `reply(method, path, body)` may answer otherwise: bytes to
    send, or None to close the connection."""

    def __init__(self, latency=0.0, limit=10, reply=None):
        self.latency, self.limit = latency, limit
        self.reply = reply or (lambda method, path, body: answer(200, [JOB]))
        self.accepted, self.peak, self.refused = 0, 0, 0
        self.requests = []  # (time, method, path, body)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = {}
        self.stopping = False
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()

    @property
    def env(self):
        return {"HPC_ENDPOINT": self.endpoint, "NIFCLOUD_ACCESS_KEY_ID": "A" * 20,
                "NIFCLOUD_SECRET_ACCESS_KEY": "B" * 40}

    def open_now(self):
        """Connections whose other end has not been closed, whether or not we got to see it."""
        count = 0
        for connection in self.connections.values():
            try:
                if connection.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                    continue
            except BlockingIOError:
                pass
            except OSError:
                continue
            count += 1
        return count

    def serve(self):
        poll = select.epoll()
        poll.register(self.listener, select.EPOLLIN)
        due, order = [], itertools.count()
        while not self.stopping:
            wait = max(0, due[0][0] - time.monotonic()) if due else 0.1
            for number, _ in poll.poll(min(wait, 0.1)):
                if number == self.listener.fileno():
                    self.accept(poll)
                    continue
                connection = self.connections.get(number)
                if connection is None:
                    continue
                for request in connection.read():
                    self.requests.append((time.monotonic(), *request))
                    heapq.heappush(due, (time.monotonic() + self.latency, next(order), connection, request))
                if connection.closed:
                    self.drop(poll, connection)
            while due and due[0][0] <= time.monotonic():
                _, _, connection, request = heapq.heappop(due)
                if connection.closed:
                    continue
                text = answer(500, ERROR) if connection.beyond else self.reply(*request)
                if text is None or not connection.write(text):
                    self.drop(poll, connection)
        for connection in list(self.connections.values()):
            self.drop(poll, connection)
        self.listener.close()
        poll.close()

    def accept(self, poll):
        client, _ = self.listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(client)
        self.connections[client.fileno()] = connection
        poll.register(client, select.EPOLLIN)
        self.accepted += 1
        now = self.open_now()
        self.peak = max(self.peak, now)
        if now > self.limit:
            connection.beyond = True
            self.refused += 1

    def drop(self, poll, connection):
        connection.closed = True
        number = connection.socket.fileno()
        if self.connections.pop(number, None):
            poll.unregister(number)
            connection.socket.close()


class Connection:
    def __init__(self, client):
        self.socket = client
        self.buffer = b""
        self.closed = False
        self.beyond = False

    def read(self):
        """The requests that are whole now."""
        try:
            block = self.socket.recv(1 << 16)
        except OSError:
            block = b""
        if not block:
            self.closed = True
            return
        self.buffer += block
        while b"\r\n\r\n" in self.buffer:
            head, rest = self.buffer.split(b"\r\n\r\n", 1)
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            yield method, path, rest[:length]

    def write(self, text):
        try:
            self.socket.sendall(text)
            return True
        except OSError:
            return False


def answer(status, body, headers=""):
    text = json.dumps(body).encode()
    return (f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
            f"{headers}\r\n").encode() + text


ERROR = {"code": "Server.InternalServerError", "message": "An internal error occurred."}
