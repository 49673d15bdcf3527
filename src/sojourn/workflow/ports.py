"""What the workflow needs from the outside, as small protocols, and the bundle that carries them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sojourn.domain.catalogue import Adopted
from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import PersonId, RoleName, StreamName, TargetName
from sojourn.domain.policy import NOTHING_DONE, Done, Facts
from sojourn.domain.publication import Held
from sojourn.domain.sealed import RecordClass, Sealing


class Ledger(Protocol):
    """The record. Implemented by `scribe.client` and, for tests and simulations, by `testing.ledger`."""

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        """Record all changes or none, durably.

        Raises SojournError: `record.stale` when a stream or guard has moved on (nothing was recorded),
        `record.unavailable`, `record.full` or `record.too_large` otherwise. After `record.unavailable` it is
        not known whether it was recorded; read the stream again.
        """
        ...

    async def stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        """Everything on record in one stream, in order; empty if there is none."""
        ...


class Sealer(Protocol):
    """Seals values so that only their recipient can open them. Implemented by `vault.sealer`."""

    def seal(self, subject: str, value: bytes, record_class: RecordClass = RecordClass.REASON) -> Sealing:
        """Seal `value`, a record of that class about `subject` (a person's id)."""
        ...

    def forget(self, keys: Collection[str]) -> None:
        """Let go of sealing keys that were destroyed; what is sealed next is sealed under fresh ones."""
        ...


class Clock(Protocol):
    """The time. Implemented in app.py, and by `testing.clock`."""

    def now(self) -> datetime:
        """The present moment, aware and in UTC."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What somebody asks for or has: a role on a target."""

    person: PersonId
    target: TargetName
    role: RoleName


Gather = Callable[[Facts, Access, datetime], Facts]
"""`gather(declared, access, now)`: what the record knows at that moment of what was declared, and of the access."""


def as_declared(declared: Facts, access: Access, now: datetime) -> Facts:
    """A `Gather` where nothing is told about the world: what was handed in is all that is known."""
    return declared


TookPart = Callable[[Access], Done]
"""Who did which duty, by the record, for accesses of this person to this role on this target, whenever."""


def by_nobody(access: Access) -> Done:
    """A `TookPart` where nothing is known."""
    return NOTHING_DONE


Late = Callable[[], Awaitable[Held | None]]
"""The place that lacks entries older than allowed, or None. Raises SojournError as the ledger does."""


Counted = Callable[[str], int | None]
"""How many attempts of strangers from an address were not recorded before this one; None if this one is not either."""


def all_of_them(address: str) -> int | None:
    """Every attempt is recorded, wherever it comes from."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What every verb works with. `new_id("r")` gives a fresh id such as `r-7k3m2q9x4h`; `in_force()` the catalogue.

    `late` tells which copy of the record keeps accesses from beginning; None where none has to be kept up. `counted`
    says what of strangers' attempts goes on record.
    """

    ledger: Ledger
    sealer: Sealer
    clock: Clock
    new_id: Callable[[str], str]
    in_force: Callable[[], Adopted]
    gather: Gather = as_declared
    took_part: TookPart = by_nobody
    late: Late | None = None
    counted: Counted = all_of_them
