"""A PostgreSQL client that says exactly what it is told to, byte by byte."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Mapping

from sojourn.gateway.postgres import frontend, startup
from sojourn.gateway.postgres.scram import ClientExchange


def message(kind: str, body: bytes = b"") -> bytes:
    """A message."""
    return kind.encode() + struct.pack(">I", len(body) + 4) + body


def query(sql: str) -> bytes:
    """Query."""
    return message("Q", sql.encode() + b"\0")


def parse(sql: str, name: str = "") -> bytes:
    """Parse."""
    return message("P", name.encode() + b"\0" + sql.encode() + b"\0\0\0")


def bind(portal: str = "", statement: str = "") -> bytes:
    """Bind without values."""
    return message("B", portal.encode() + b"\0" + statement.encode() + b"\0" + bytes(6))


def execute(portal: str = "", rows: int = 0) -> bytes:
    """Execute."""
    return message("E", portal.encode() + b"\0" + struct.pack(">I", rows))


def extended(sql: str) -> bytes:
    """Parse, Bind, Describe, Execute of the unnamed statement."""
    return parse(sql) + bind() + message("D", b"P\0") + execute()


SYNC = message("S")
FLUSH = message("H")


class RawClient:
    """A logged-in session on a blocking socket (10 s at most for each read)."""

    def __init__(self, host: str, port: int, *, tls: bool = True, timeout: float = 10.0) -> None:
        """Connect, and put TLS around the connection."""
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = b""
        self.key = b""
        if tls:
            self.socket.sendall(startup.ssl_request())
            assert self.socket.recv(1) == b"S"
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)

    def log_in(
        self, user: str, password: str, database: str, *, parameters: Mapping[str, str] | None = None, minor: int = 0
    ) -> list[tuple[str, bytes]]:
        """Log in by SCRAM; gives every message up to ReadyForQuery or ErrorResponse."""
        named = {"user": user, "database": database, **(parameters or {})}
        self.send(startup.startup_message(named, minor=minor))
        exchange = ClientExchange(password, b"n" * 24)
        seen: list[tuple[str, bytes]] = []
        while True:
            kind, body = self.read()
            seen.append((kind, body))
            code = int.from_bytes(body[:4], "big") if kind == "R" else -1
            if code == 10:
                self.send(frontend.sasl_initial_response("SCRAM-SHA-256", exchange.first()))
            elif code == 11:
                self.send(frontend.sasl_response(exchange.final(body[4:])))
            elif kind == "K":
                self.key = body
            if kind in "ZE":
                return seen

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def read(self) -> tuple[str, bytes]:
        """The next message. Raises ConnectionError at the end."""
        header = self._exactly(5)
        return chr(header[0]), self._exactly(int.from_bytes(header[1:], "big") - 4)

    def _exactly(self, count: int) -> bytes:
        while len(self.left) < count:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionResetError("closed")
            self.left += more
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def until_ready(self, times: int = 1) -> str:
        """The types of all messages up to so many ReadyForQuery, without notices and rows repeated."""
        kinds = ""
        while times:
            kind, _ = self.read()
            kinds += kind
            times -= kind == "Z"
        return kinds

    def kinds(self, count: int) -> str:
        """The types of the next messages."""
        return "".join(self.read()[0] for _ in range(count))

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def error_fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse."""
    parts = body.rstrip(b"\0").split(b"\0")
    return {part[:1].decode(): part[1:].decode() for part in parts if part}
