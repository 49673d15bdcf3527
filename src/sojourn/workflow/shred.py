"""Shred: what was sealed about somebody is made unreadable for good. One administrator asks, another confirms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sojourn.domain import shredding as rules
from sojourn.domain.catalogue import Adopted
from sojourn.domain.identifiers import PersonId, ShreddingId
from sojourn.domain.register import Register, Shredding
from sojourn.domain.sealed import RecordClass
from sojourn.domain.shredding import ConfirmShredding, RequestShredding, WithdrawShredding
from sojourn.errors import Refusal

from .deciding import Attempt, Decided, refuse, shown
from .keeping import KeyUses, load_register, on_register, sealed_reason
from .ports import Office


async def request_shredding(
    office: Office,
    *,
    subject: PersonId,
    classes: tuple[RecordClass, ...],
    reason: str,
    person: PersonId,
    source: str,
    uses: KeyUses,
) -> Shredding | Refusal:
    """Ask for it. Gives the shredding, which waits for a second person, or why it may not be asked (on record)."""
    attempt = Attempt(verb="request_shredding", actor=person, source=source)
    sealing = sealed_reason(office, person, reason)
    if isinstance(sealing, Refusal):
        return await refuse(office, attempt, "keeping", sealing)
    held = await uses(subject)
    name = ShreddingId(office.new_id("sh"))
    command = RequestShredding(
        shredding=name,
        subject=PersonId(shown(subject)),
        classes=classes,
        reason=sealing.sealed,
        person=person,
        source=shown(source),
    )

    def decide(state: Register, version: int, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = rules.request(state, command, held, adopted.catalogue)
        return decided if isinstance(decided, Refusal) else Decided(events=(decided,), sealings=(sealing,))

    settled = await on_register(office, attempt, decide)
    return settled if isinstance(settled, Refusal) else settled.shreddings[name]


async def confirm_shredding(
    office: Office, *, shredding: ShreddingId, person: PersonId, source: str, uses: KeyUses
) -> Shredding | Refusal:
    """Do it: the keys are destroyed in the append that records it. Gives the shredding, or why not (on record)."""
    attempt = Attempt(verb="confirm_shredding", actor=person, source=source)
    command = ConfirmShredding(shredding=ShreddingId(shown(shredding)), person=person, source=shown(source))
    asked = (await load_register(office.ledger))[0].shreddings.get(shredding)
    held = () if asked is None else await uses(asked.requested.person)

    def decide(state: Register, version: int, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = rules.confirm(state, command, held, adopted.catalogue)
        return decided if isinstance(decided, Refusal) else Decided(events=decided)

    return await _settled(office, attempt, shredding, decide)


async def withdraw_shredding(
    office: Office, *, shredding: ShreddingId, person: PersonId, source: str
) -> Shredding | Refusal:
    """Do not do it after all. Gives the withdrawn shredding, or why not (on record)."""
    attempt = Attempt(verb="withdraw_shredding", actor=person, source=source)
    command = WithdrawShredding(shredding=ShreddingId(shown(shredding)), person=person, source=shown(source))

    def decide(state: Register, version: int, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = rules.withdraw(state, command, adopted.catalogue)
        return decided if isinstance(decided, Refusal) else Decided(events=(decided,))

    return await _settled(office, attempt, shredding, decide)


async def _settled(
    office: Office,
    attempt: Attempt,
    shredding: ShreddingId,
    decide: Callable[[Register, int, Adopted, datetime], Decided | Refusal],
) -> Shredding | Refusal:
    settled = await on_register(office, attempt, decide)
    return settled if isinstance(settled, Refusal) else settled.shreddings[shredding]
