"""A PostgreSQL client that says exactly what a test wants, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field

from sojourn.gateway.postgres import frontend, startup
from sojourn.gateway.postgres.backend import parse_error
from sojourn.gateway.postgres.scram import ClientExchange
from sojourn.gateway.postgres.wire import message

ANSWER_SECONDS = 10.0


def parse(name: str, sql: str) -> bytes:
    """A Parse message without types."""
    return message(b"P", name.encode() + b"\0" + sql.encode() + b"\0\0\0")


def bind(portal: str, statement: str, *values: str) -> bytes:
    """A Bind message with values as text."""
    body = portal.encode() + b"\0" + statement.encode() + b"\0\0\0" + len(values).to_bytes(2, "big")
    for value in values:
        body += len(value.encode()).to_bytes(4, "big") + value.encode()
    return message(b"B", body + b"\0\0")


def describe(portal: str) -> bytes:
    """A Describe message for a portal."""
    return message(b"D", b"P" + portal.encode() + b"\0")


def execute(portal: str, rows_max: int = 0) -> bytes:
    """An Execute message."""
    return message(b"E", portal.encode() + b"\0" + rows_max.to_bytes(4, "big"))


def close(kind: str, name: str) -> bytes:
    """A Close message; `kind` is S or P."""
    return message(b"C", kind.encode() + name.encode() + b"\0")


def query(sql: str) -> bytes:
    """A Query message."""
    return frontend.query(sql)


SYNC, FLUSH, COPY_DONE = message(b"S"), message(b"H"), message(b"c")


@dataclass(slots=True)
class RawClient:
    """A logged-in connection. `kinds` collects the types of all messages received since the log-in."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    key: tuple[int, bytes] | None = None
    errors: list[dict[str, str]] = field(default_factory=list)

    async def receive(self) -> tuple[str, bytes]:
        """The next message: its type and its body. Raises EOFError at the end of the connection."""
        async with asyncio.timeout(ANSWER_SECONDS):
            header = await self.reader.readexactly(5)
            body = await self.reader.readexactly(int.from_bytes(header[1:], "big") - 4)
        kind = chr(header[0])
        if kind == "E":
            self.errors.append(parse_error(body))
        return kind, body

    async def until(self, last: str = "Z", count: int = 1) -> str:
        """The types of all messages up to and including the `count`-th one of type `last`."""
        kinds = ""
        while kinds.count(last) < count:
            kind, _ = await self.receive()
            kinds += kind
        return kinds

    async def ask(self, *messages: bytes, count: int = 1) -> str:
        """Send in one write, and give the types of the answers up to the `count`-th ReadyForQuery."""
        self.writer.write(b"".join(messages))
        return await self.until(count=count)

    async def rest(self) -> str:
        """The types of all messages until the connection ends."""
        kinds = ""
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                kind, _ = await self.receive()
                kinds += kind
        return kinds

    def hang_up(self) -> None:
        """Leave without a word."""
        self.writer.transport.abort()


async def log_in(
    port: int, context: ssl.SSLContext | None, *, user: str, password: str, database: str = "shop", **parameters: str
) -> RawClient:
    """Connect to 127.0.0.1, with TLS unless `context` is None, and log in. `errors` says why if that fails."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if context is not None:
        writer.write(startup.ssl_request())
        assert await reader.readexactly(1) == b"S"
        await writer.start_tls(context, server_hostname="localhost")
    client = RawClient(reader, writer)
    writer.write(startup.startup_message({"user": user, "database": database, **parameters}))
    exchange = ClientExchange(password, b"a-nonce-of-a-test-client")
    while True:
        kind, body = await client.receive()
        if kind == "E":
            return client
        if kind == "K":
            client.key = (int.from_bytes(body[:4], "big"), body[4:])
        if kind == "Z":
            return client
        if kind == "R":
            code = int.from_bytes(body[:4], "big")
            if code == 10:
                writer.write(frontend.sasl_initial_response("SCRAM-SHA-256", exchange.first()))
            elif code == 11:
                writer.write(frontend.sasl_response(exchange.final(body[4:])))
