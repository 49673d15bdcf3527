"""Files by `scp` in its old protocol: each an action of its own beside the command, with its size and its hash."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from sojourn.domain.events import Outcome
from sojourn.gateway.entries import Intention, Result

from .scp import Copied, Copies, Scp
from .setting import Keeper

PROTOCOL = "scp"


@dataclass(slots=True)
class CopyWatch:
    """Implements `setting.Keeper` for such a command: the tape keeps it like any other, and this names its files.

    The command's intent was durable before anything was copied; a file is on record once it has passed.
    """

    tape: Keeper
    command: Scp
    note: Callable[[Intention, Result], None]
    _copies: Copies = field(default_factory=Copies)

    @property
    def holding(self) -> bool:
        """Whether output waits."""
        return self.tape.holding

    def input(self, data: bytes) -> None:
        """The client has sent this."""
        if self.command.writes:
            self._feed(data)
        self.tape.input(data)

    def output(self, data: bytes, datatype: int | None) -> None:
        """The host has said this."""
        if not self.command.writes and datatype is None:
            self._feed(data)
        self.tape.output(data, datatype)

    def _feed(self, data: bytes) -> None:
        for copied in self._copies.feed(data):
            self._note(copied, Outcome.COMPLETED)

    def _note(self, copied: Copied, outcome: Outcome) -> None:
        verb, size = ("write" if self.command.writes else "read"), copied.flow.size
        paths = [copied.name, self.command.place]
        detail = json.dumps({"text": f"{verb} {copied.name} at {self.command.place}", "paths": paths}, sort_keys=True)
        intention = Intention(
            PROTOCOL,
            verb,
            may_write=self.command.writes,
            objects=tuple(path[:200] for path in paths),
            detail=detail.encode(),
        )
        result = Result(
            outcome=outcome,
            tags=(f"{'written' if self.command.writes else 'read'} {copied.flow}",),
            bytes_in=size if self.command.writes else 0,
            bytes_out=0 if self.command.writes else size,
        )
        self.note(intention, result)

    def resize(self, columns: int, rows: int) -> None:
        """There is no terminal."""

    def mark(self, text: str) -> None:
        """Something of our own is said to the person."""
        self.tape.mark(text)

    async def finish(self, how: str) -> None:
        """A file that was begun and did not end is on record as far as it came."""
        left = self._copies.left()
        if left is not None:
            self._note(left, Outcome.COMPLETED if left.flow.size == left.size else Outcome.INTERRUPTED)
        await self.tape.finish(how)
