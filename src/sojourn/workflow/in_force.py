"""In force: the configuration that decisions are made under, and the standing of its people, as the record tells them.

It is read before anything is decided and followed from then on. A decision names the versions that it was made on, so
one that was made a moment too early is not recorded and made again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sojourn.domain import standing as standings
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import ConfigurationAdopted
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import CONFIGURATION, STANDING
from sojourn.domain.standing import NOTHING_SAID, Standing

from .adopt import load_standing, read_adopted
from .ports import Ledger

PREFIXES = (CONFIGURATION, STANDING)


class Follow(Protocol):
    """How the ledger is read: see `scribe.client.ScribeClient.follow`."""

    def __call__(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """All entries of such streams from a place on, for ever."""
        ...


@dataclass(slots=True)
class InForce:
    """Fits `workflow.ports.Office.in_force`: called, it gives what is in force at this moment.

    `start` is a place in the ledger before which everything is in it already.
    """

    files: Adopted
    standing: Standing = NOTHING_SAID
    start: int = 0
    _now: Adopted = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what was handed in."""
        self._now = self.files.under(self.standing)

    @classmethod
    async def open(cls, ledger: Ledger, files: Adopted, start: int = 0) -> InForce:
        """What is in force now: `files`, under the standing on record; both were read after `start` entries.

        Raises SojournError from the ledger.
        """
        return cls(files, await load_standing(ledger), start)

    def __call__(self) -> Adopted:
        """What is in force at this moment."""
        return self._now

    async def run(self, follow: Follow, attachment: Callable[[str], Awaitable[bytes]]) -> None:
        """Follow the record until cancelled. Raises SojournError `record.damaged`."""
        async for batch in follow(self.start, PREFIXES):
            for recorded in batch:
                await self._take(recorded, attachment)

    async def _take(self, recorded: Recorded, attachment: Callable[[str], Awaitable[bytes]]) -> None:
        """One entry, unless it was read before."""
        event = recorded.event
        if isinstance(event, ConfigurationAdopted) and recorded.version > self.files.version:
            self.files = await read_adopted(attachment, event, recorded.version)
        elif recorded.stream == STANDING and recorded.version > self.standing.version:
            self.standing = standings.evolve(self.standing, event)
        else:
            return
        self._now = self.files.under(self.standing)
