"""By syslog over TLS: RFC 5424 messages, framed by octet counting (RFC 5425 section 4.3).

- Syslog has no answer, so what was written may be lost with its connection. Therefore nothing counts as taken before
  the connection was closed in order after it: the receiver has then read all of it. Each batch is a connection.
- `meta sequenceId` (RFC 5424 section 7.3.1) counts the messages; `sojourn@32473 place` is the place of the entry, which
  has no gap from the first to the last. 32473 is the number that RFC 5612 keeps for private use of this kind.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from .sink import Message, SinkError

FACILITY = 13
"""Log audit (RFC 5424 table 1)."""

SEVERITIES = {1: 6, 2: 5, 3: 4, 4: 3, 5: 2, 6: 1}
"""OCSF's severities (Informational to Fatal) in syslog's (Informational to Alert)."""

SEQUENCE_MAX = 2_147_483_647


@dataclass(frozen=True, slots=True, kw_only=True)
class Syslog:
    """Implements `Sink`. `node` and `origin` say who sends; `authority` is as for `Https`."""

    name: str
    host: str
    port: int
    authority: str
    node: str
    origin: str
    seconds: float

    async def send(self, messages: Sequence[Message]) -> None:
        """See `Sink.send`."""
        try:
            async with asyncio.timeout(self.seconds):
                await self._send(b"".join(map(self.frame, messages)))
        except (OSError, TimeoutError, ssl.SSLError) as error:
            raise SinkError(f"it did not take it ({type(error).__name__}: {error})") from error

    async def _send(self, content: bytes) -> None:
        context = ssl.create_default_context(cafile=self.authority or None)
        reader, writer = await asyncio.open_connection(
            self.host, self.port, ssl=context, ssl_shutdown_timeout=self.seconds
        )
        try:
            writer.write(content)
            await writer.drain()
            # Our close_notify says that this is all; a receiver that has read it answers with its own.
            writer.close()
            await writer.wait_closed()
        except BaseException:
            writer.transport.abort()
            raise
        if reader.exception() is not None:
            raise ConnectionError(str(reader.exception()))

    def frame(self, message: Message) -> bytes:
        """One message with its length before it."""
        line = self.line(message)
        return str(len(line)).encode() + b" " + line

    def line(self, message: Message) -> bytes:
        """One message: header, structured data, and the event as JSON in UTF-8 behind a byte-order mark."""
        priority = FACILITY * 8 + SEVERITIES.get(message.severity, 5)
        at = message.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        sequence = message.place % SEQUENCE_MAX + 1
        data = f'[meta sequenceId="{sequence}"][sojourn@32473 place="{message.place}" origin="{_value(self.origin)}"]'
        header = f"<{priority}>1 {at} {_name(self.node, 255)} sojourn - {_name(message.kind, 32)} {data} "
        return header.encode() + b"\xef\xbb\xbf" + message.body

    async def close(self) -> None:
        """Nothing is kept open."""


def _name(text: str, longest: int) -> str:
    """A header field: printable ASCII without spaces (RFC 5424 section 6)."""
    return "".join(letter if "!" <= letter <= "~" else "_" for letter in text)[:longest] or "-"


def _value(text: str) -> str:
    """A parameter's value: a quotation mark, a backslash and a bracket are escaped (RFC 5424 section 6.3.3)."""
    return "".join("\\" + letter if letter in '"\\]' else letter for letter in text)
