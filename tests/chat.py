"""A real HTTP server that speaks OpenAI's chat completions, as far as summaries need them, and does what it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Chat:
    """`answer` makes of a paper's title the model's words, or an HTTP status, or a whole body; "" is silence until the
    client goes."""

    answer: Callable[[str], str | int | bytes]
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """The bodies of the requests, each with `path` and `key`."""
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def titles(self) -> list[str]:
        return [json.loads(one["messages"][1]["content"])["title"] for one in self.asked]


@contextmanager
def chatting(answer: Callable[[str], str | int | bytes]) -> Iterator[Chat]:
    chat = Chat(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            chat.asked.append({**body, "path": self.path, "key": self.headers.get("Authorization")})
            found = chat.answer(json.loads(body["messages"][1]["content"])["title"])
            if found == "":
                chat.over.wait(10)
            status, content = (found, b"no") if isinstance(found, int) else (200, found)
            if isinstance(content, str):
                content = json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()
            if content.startswith(b"400 "):
                status = 400
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Calm(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that lost its patience is what some tests are about."""

    with Calm(("127.0.0.1", 0), Handler) as real:
        chat.url = f"http://127.0.0.1:{real.server_address[1]}/v1"
        thread = threading.Thread(target=real.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield chat
        finally:
            chat.over.set()
            real.shutdown()
            thread.join()


def slowly(seconds: float, words: str) -> str:
    time.sleep(seconds)
    return words
