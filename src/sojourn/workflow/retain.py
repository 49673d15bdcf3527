"""Retain: how long each class of record is kept, and the disposal of what was kept long enough."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import retention as rules
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import KeysDestroyed, RecordsDisposed
from sojourn.domain.identifiers import DisposalId, PersonId
from sojourn.domain.register import Register
from sojourn.domain.retention import ConfirmRetention, Dispose, SetRetention, WithdrawRetention
from sojourn.domain.sealed import RecordClass
from sojourn.errors import Refusal

from .deciding import Attempt, Decided, shown
from .keeping import KeyUses, on_register
from .ports import Office


async def set_retention(
    office: Office, *, record_class: RecordClass, days: int, person: PersonId, source: str
) -> Register | Refusal:
    """Ask that a class is kept for so many days. Gives the register, or why not (on record)."""
    command = SetRetention(record_class=record_class, days=days, person=person, source=shown(source))

    def decide(state: Register, version: int, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = rules.set_retention(state, command, adopted.catalogue)
        return decided if isinstance(decided, Refusal) else Decided(events=decided)

    return await on_register(office, Attempt(verb="set_retention", actor=person, source=source), decide)


async def confirm_retention(
    office: Office, *, record_class: RecordClass, days: int, person: PersonId, source: str
) -> Register | Refusal:
    """Agree to the `days` that somebody else asked for. Gives the register, or why not (on record)."""
    command = ConfirmRetention(record_class=record_class, days=days, person=person, source=shown(source))

    def decide(state: Register, version: int, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = rules.confirm(state, command, adopted.catalogue)
        return decided if isinstance(decided, Refusal) else Decided(events=(decided,))

    return await on_register(office, Attempt(verb="confirm_retention", actor=person, source=source), decide)


async def withdraw_retention(
    office: Office, *, record_class: RecordClass, person: PersonId, source: str
) -> Register | Refusal:
    """Keep the retention as it is. Gives the register, or why not (on record)."""
    command = WithdrawRetention(record_class=record_class, person=person, source=shown(source))

    def decide(state: Register, version: int, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = rules.withdraw(state, command, adopted.catalogue)
        return decided if isinstance(decided, Refusal) else Decided(events=(decided,))

    return await on_register(office, Attempt(verb="withdraw_retention", actor=person, source=source), decide)


async def dispose(office: Office, *, person: PersonId, source: str, uses: KeyUses) -> RecordsDisposed | Refusal:
    """Destroy what the schedule in force says. Gives what was destroyed, or why nothing was (on record)."""
    held = await uses(None)
    disposal = DisposalId(office.new_id("d"))
    command = Dispose(disposal=disposal, person=person, source=shown(source))
    done: list[RecordsDisposed | KeysDestroyed] = []

    def decide(state: Register, version: int, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = rules.dispose(state, version, command, held, adopted.catalogue, now)
        if isinstance(decided, Refusal):
            return decided
        done[:] = decided
        return Decided(events=decided)

    settled = await on_register(office, Attempt(verb="dispose", actor=person, source=source), decide)
    if isinstance(settled, Refusal):
        return settled
    disposed = done[0]
    assert isinstance(disposed, RecordsDisposed), "a disposal tells first what it is"
    return disposed
