"""Links that sign a newcomer in as one of the demo's people: a door that stands in the demo and nowhere else.

- A small server of the demo's own opens it, on the loopback of this machine and for as long as the demo runs. An
  installation has no address that signs anybody in by a link.
- It sends the sign-in form as a browser would, with the password that this demo made up, and passes on the cookie of
  the session: a browser keeps cookies by host, whatever the port (RFC 6265, 8.5).
- A link holds 144 random bits, and each use is a sign-in of its own, on record like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from threading import Thread
from typing import Any

import httpx2

from .installation import Installation

SECRET_BYTES = 18
SECONDS = 30.0
HOST = "localhost"
"""What a browser shows; it takes this name for a secure origin, and so it keeps the cookie."""


@contextmanager
def links(
    one: Installation, rooms: Mapping[str, str], *, password: str, secret: str, port: int = 0
) -> Iterator[dict[str, str]]:
    """The link of each person while the context lasts.

    `rooms` names for each person the page that their link leads to, and `password` opens all their accounts. `secret`
    is fresh and random; `port` is where the links are answered (0: any that is free).
    """
    doors = {f"/{secret}/{person}": (person, room) for person, room in rooms.items()}
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Door, doors, one, password))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {person: f"http://{HOST}:{server.server_port}{path}" for path, (person, _) in doors.items()}
    finally:
        server.shutdown()
        server.server_close()


class _Door(BaseHTTPRequestHandler):
    """Answers one request: a link with a session and the way to the pages, anything else with nothing."""

    def __init__(
        self,
        doors: Mapping[str, tuple[str, str]],
        one: Installation,
        password: str,
        connection: Any,
        client: Any,
        server: BaseServer,
    ) -> None:
        """`doors` are the paths that there are, each with its person and page."""
        self._doors, self._one, self._password = doors, one, password
        super().__init__(connection, client, server)

    def do_GET(self) -> None:
        """Sign in whom the link names."""
        person, room = self._doors.get(self.path, ("", ""))
        if not person:
            self._say(404, "There is no such link. The demo prints those that there are.\n")
            return
        try:
            cookie = _signed_in(self._one.address, person, self._password)
        except (httpx2.HTTPError, OSError, KeyError) as error:
            self._say(502, f"The demo's pages do not answer ({type(error).__name__}). Try the link once more.\n")
            return
        pages = self._one.address.replace("127.0.0.1", HOST)
        self._say(303, "", {"location": pages + room, "set-cookie": cookie})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the library gives it
        """Nothing: a link in a log would be a key in a log."""

    def _say(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        own = {
            "content-type": "text/plain; charset=utf-8",
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
        }
        self.send_response(status)
        for name, value in {**own, **(headers or {}), "content-length": str(len(text.encode()))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())


def _signed_in(address: str, person: str, password: str) -> str:
    """The cookie of a new session, as control sets it. Raises httpx2.HTTPError, or KeyError if there is none."""
    answered = httpx2.post(
        f"{address}/sign-in",
        data={"person": person, "password": password},
        headers={"origin": address, "sec-fetch-site": "same-origin"},
        timeout=SECONDS,
    )
    return str(answered.headers["set-cookie"])
