"""Shredding: the keys to what was sealed about somebody are destroyed, and every proof stays whole.

- One administrator asks and another confirms; nobody confirms what they asked for. Neither may be the person whom it
  is about.
- What a hold covers is not shredded, neither in part nor at all: the hold is named in the refusal.
- What is destroyed is what is there when it is confirmed. Each key is named in a tombstone, in the same append.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sojourn.errors import Code, Refusal

from .catalogue import Catalogue
from .entitled import unless_administrator
from .events import KeysDestroyed, ShreddingConfirmed, ShreddingRequested, ShreddingWithdrawn
from .identifiers import PersonId, ShreddingId
from .register import SHREDDABLE, KeyUse, Register, Shredding
from .sealed import RecordClass, Sealed

KEYS_PER_TOMBSTONE_MAX = 1000
"""Keeps a tombstone well below the bound on an entry: a key's id has 34 characters."""

KEYS_MAX = 1_000_000
"""More keys than this are not destroyed at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestShredding:
    """Make everything of these classes about `subject` unreadable."""

    shredding: ShreddingId
    subject: PersonId
    classes: tuple[RecordClass, ...]
    reason: Sealed
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmShredding:
    """Do what somebody else asked for."""

    shredding: ShreddingId
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawShredding:
    """Do not do it after all."""

    shredding: ShreddingId
    person: PersonId
    source: str


def request(
    state: Register, command: RequestShredding, uses: Sequence[KeyUse], catalogue: Catalogue
) -> ShreddingRequested | Refusal:
    """The request, or why it may not be asked. `uses` are the keys about the subject that still open."""
    refusal = unless_administrator(catalogue, command.person, "ask for a shredding") or _one_is_concerned(command)
    if refusal is not None:
        return refusal
    strange = [one for one in command.classes if one not in SHREDDABLE]
    if strange or not command.classes:
        problem = f"{', '.join(strange) or 'Nothing'} is not what can be shredded"
        return Refusal(Code.INPUT_INVALID, {"problem": problem, "expected": ", ".join(SHREDDABLE)})
    refusal = _kept(state, command.subject, _chosen(uses, command.subject, command.classes))
    if refusal is not None:
        return refusal
    return ShreddingRequested(
        shredding=command.shredding,
        person=command.subject,
        classes=tuple(sorted(set(command.classes))),
        reason=command.reason,
        requested_by=command.person,
        source=command.source,
    )


def confirm(
    state: Register, command: ConfirmShredding, uses: Sequence[KeyUse], catalogue: Catalogue
) -> tuple[ShreddingConfirmed | KeysDestroyed, ...] | Refusal:
    """The confirmation and its tombstones, or why nothing is destroyed."""
    refusal = unless_administrator(catalogue, command.person, "confirm a shredding")
    if refusal is not None:
        return refusal
    found = _pending(state, command.shredding)
    if isinstance(found, Refusal):
        return found
    requested = found.requested
    if command.person in (requested.requested_by, requested.person):
        return Refusal(Code.SHREDDING_SELF, {"shredding": command.shredding, "person": command.person})
    chosen = _chosen(uses, requested.person, requested.classes)
    refusal = _kept(state, requested.person, chosen)
    if refusal is not None:
        return refusal
    confirmed = ShreddingConfirmed(
        shredding=command.shredding,
        requested_by=requested.requested_by,
        confirmed_by=command.person,
        keys=len(chosen),
        values=sum(use.values for use in chosen),
        source=command.source,
    )
    return (confirmed, *tombstones(command.shredding, chosen))


def withdraw(state: Register, command: WithdrawShredding, catalogue: Catalogue) -> ShreddingWithdrawn | Refusal:
    """The withdrawal, which any administrator may make."""
    refusal = unless_administrator(catalogue, command.person, "withdraw a shredding")
    if refusal is not None:
        return refusal
    found = _pending(state, command.shredding)
    if isinstance(found, Refusal):
        return found
    return ShreddingWithdrawn(shredding=command.shredding, withdrawn_by=command.person, source=command.source)


def tombstones(cause: str, uses: Sequence[KeyUse]) -> Iterator[KeysDestroyed]:
    """One tombstone for each person, class and thousand keys."""

    def subject(use: KeyUse) -> tuple[str, str]:
        return use.person, use.record_class

    for _, group in groupby(sorted(uses, key=lambda use: (*subject(use), use.key)), key=subject):
        held = list(group)
        for start in range(0, len(held), KEYS_PER_TOMBSTONE_MAX):
            part = held[start : start + KEYS_PER_TOMBSTONE_MAX]
            yield KeysDestroyed(
                cause=cause,
                person=part[0].person,
                record_class=part[0].record_class,
                keys=tuple(use.key for use in part),
                values=sum(use.values for use in part),
            )


def _one_is_concerned(command: RequestShredding) -> Refusal | None:
    if command.person == command.subject:
        return Refusal(Code.SHREDDING_SELF, {"shredding": "this shredding", "person": command.person})
    return None


def _pending(state: Register, name: ShreddingId) -> Shredding | Refusal:
    found = state.shreddings.get(name)
    if found is None:
        return Refusal(Code.SHREDDING_UNKNOWN, {"shredding": name})
    if not found.open:
        status = "done" if found.confirmed is not None else "withdrawn"
        return Refusal(Code.SHREDDING_NOT_PENDING, {"shredding": name, "status": status})
    return found


def _chosen(uses: Sequence[KeyUse], person: PersonId, classes: Sequence[RecordClass]) -> list[KeyUse]:
    return [use for use in uses if use.person == person and use.record_class in classes]


def _kept(state: Register, person: PersonId, chosen: Sequence[KeyUse]) -> Refusal | None:
    """The refusal when there is nothing to destroy, or something of it is held."""
    if not chosen:
        return Refusal(Code.SHREDDING_NOTHING, {"person": person})
    if len(chosen) > KEYS_MAX:
        return Refusal(Code.INPUT_INVALID, {"problem": "Too many keys at once", "expected": f"at most {KEYS_MAX}"})
    holds = sorted({hold for use in chosen for hold in state.holding(use)})
    if holds:
        return Refusal(Code.HOLD_IN_FORCE, {"holds": ", ".join(holds)})
    return None
