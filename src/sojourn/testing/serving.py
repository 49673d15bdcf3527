"""A small HTTP server in a thread of this process, for what plays a service of somebody else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. The names of `headers` are in any case."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What is answered. Without a `kind` there is no answer at all: the connection ends."""

    status: int = 200
    kind: str = ""
    body: bytes = b""


@contextmanager
def serving(answer: Callable[[Asked], Answered]) -> Iterator[str]:
    """Serve on a free port while the context lasts; gives the address. Requests are answered in threads."""

    class _Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Every request goes one way."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told = answer(Asked(method=self.command, path=self.path, headers=self.headers, body=body))
            if told.kind:
                self.send_response(told.status)
                self.send_header("Content-Type", told.kind)
                self.send_header("Content-Length", str(len(told.body)))
                self.end_headers()
                self.wfile.write(told.body)

        def do_POST(self) -> None:
            """The same."""
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(SECONDS)
