"""One connection to the scribe, seen from the client: frames out, answers in, and a deadline for each.

Who has called is told in the same turn of the loop in which the answer arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias, cast

from sojourn.codes import Code
from sojourn.errors import SojournError

from . import protocol
from .protocol import UNREADABLE, FrameError, answer_decoder, take_frames

SWEEP_SECONDS = 15.0
"""A call that two sweeps find unanswered has failed: its deadline is between once and twice this."""

IN_FLIGHT_MAX = 20_000
OUTGOING_BYTES_MAX = 256 * 1024 * 1024

Answered: TypeAlias = Callable[[protocol.Single | SojournError], None]


class Connection(asyncio.Protocol):
    """Calls in flight by id; who called is told the answer once.

    `lost` is done when the connection is gone; all calls then in flight fail with `record.unavailable`.
    `keys_known` are the sealing keys that the scribe has acknowledged on this connection.
    """

    def __init__(self) -> None:
        """Made by the loop; usable once the connection is made."""
        self.keys_known: dict[str, None] = {}
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._received = bytearray()
        self._in_flight: dict[int, Answered] = {}
        self._outgoing: list[bytes] = []
        self._outgoing_bytes = 0
        self._last_id = 0
        self._swept_id = 0
        self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        # uvloop's transports have the interface and not the base class.
        self._transport = cast(asyncio.Transport, transport)

    @property
    def closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport is None or self._transport.is_closing()

    def send(self, call_id: int, data: bytes, answered: Answered, *, now: bool = False) -> None:
        """Queue a frame; everything that is queued in one turn of the loop is written at once, or `now`.

        `call_id` is higher than any before. Raises SojournError `record.unavailable` when too much is in flight.
        """
        assert self._transport is not None, "a connection is handed out once it is made"
        waiting = self._transport.get_write_buffer_size() + self._outgoing_bytes
        if len(self._in_flight) >= IN_FLIGHT_MAX or waiting > OUTGOING_BYTES_MAX or self._transport.is_closing():
            raise SojournError(Code.RECORD_UNAVAILABLE)
        self._in_flight[call_id] = answered
        self._last_id = call_id
        if not self._outgoing and not now:
            self._loop.call_soon(self._flush)
        self._outgoing.append(data)
        self._outgoing_bytes += len(data)
        if now:
            self._flush()

    def _flush(self) -> None:
        assert self._transport is not None
        if not self._outgoing:
            return
        self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()
        self._outgoing_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Called by the loop: give each answer to whom it belongs."""
        self._received += data
        try:
            answers = [answer_decoder.decode(payload) for payload in take_frames(self._received)]
        except (FrameError, *UNREADABLE):
            self.abort()
            return
        for answer in answers:
            if isinstance(answer, protocol.AppendedTogether):
                for one in answer.answers:
                    self._give(one)
            else:
                self._give(answer)

    def _give(self, answer: protocol.Single) -> None:
        answered = self._in_flight.pop(answer.id, None)
        if answered is not None:
            answered(SojournError(Code(answer.code), **answer.details) if type(answer) is protocol.Refused else answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop: what is in flight will get no answer."""
        self._sweeping.cancel()
        in_flight, self._in_flight = self._in_flight, {}
        for answered in in_flight.values():
            answered(SojournError(Code.RECORD_UNAVAILABLE))
        if not self.lost.done():
            self.lost.set_result(None)

    def abort(self) -> None:
        """Hang up at once."""
        if self._transport is not None:
            self._transport.abort()

    def _sweep(self) -> None:
        """Fail the calls that were in flight at the last sweep already; ids grow, so they come first."""
        while self._in_flight:
            call_id = next(iter(self._in_flight))
            if call_id > self._swept_id:
                break
            self._in_flight.pop(call_id)(SojournError(Code.RECORD_UNAVAILABLE))
        self._swept_id = self._last_id
        self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)
