"""A real HTTP server on this machine that answers as it is told, faults included, and remembers what it was asked."""

from __future__ import annotations

import gzip
import hashlib
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer. `fault` is "reset", "truncate" or "stall" (silence for a second); `etag` honours conditions."""

    body: bytes = b"[]"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    etag: bool = False
    packed: bool = False


@dataclass
class Asked:
    """One request that came, when, and when it was answered."""

    path: str
    headers: Mapping[str, str]
    at: float
    ended: float = 0.0
    body: bytes = b""


@dataclass
class Server:
    """Answers each path with its replies in turn, the last of them for ever; a path without replies with a 404."""

    url: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def says(self, path: str, *replies: Reply) -> None:
        """What to answer to requests for `path`, query included."""
        self.replies[path] = list(replies)

    def take(self, path: str) -> Reply:
        """The next reply for a path."""
        left = self.replies.get(path, [Reply(b"no such thing", 404)])
        return left.pop(0) if len(left) > 1 else left[0]

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [one.path for one in self.asked]


@contextmanager
def running() -> Iterator[Server]:
    """A server on a free port, until the block ends."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            asked = Asked(self.path, dict(self.headers), time.time(), body=body)
            server.asked.append(asked)
            try:
                _answer(self, server.take(self.path))
            finally:
                asked.ended = time.time()

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Calm(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away in the middle is what some tests are about."""

    with Calm(("127.0.0.1", 0), Handler) as real:
        server.url = f"http://127.0.0.1:{real.server_address[1]}"
        thread = threading.Thread(target=real.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            real.shutdown()
            thread.join()


def _answer(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    if reply.fault == "stall":
        time.sleep(1)
    if reply.fault == "reset":
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.close()
        return
    body = gzip.compress(reply.body) if reply.packed else reply.body
    tag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
    same = reply.etag and handler.headers.get("If-None-Match") == tag
    handler.send_response(304 if same else reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    if reply.etag:
        handler.send_header("ETag", tag)
    if reply.packed:
        handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Content-Length", "0" if same else str(len(body)))
    handler.end_headers()
    if not same:
        handler.wfile.write(body[: len(body) // 2] if reply.fault == "truncate" else body)
    handler.close_connection |= reply.fault == "truncate"
