"""The mechanism behind the verbs about what is kept: one stream, read whole, decided on, and appended to.

Holds, schedules and destructions share the stream, so a decision that a hold or a second person's word has overtaken
is stale, and is made again on what is there by then. Refusals are recorded as with every other verb.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from sojourn.domain import register as registers
from sojourn.domain.catalogue import Adopted
from sojourn.domain.history import Change
from sojourn.domain.identifiers import KEEPING, PersonId
from sojourn.domain.register import KeyUse, Register
from sojourn.domain.sealed import Sealing
from sojourn.errors import Code, Refusal, SojournError

from .deciding import TRIES_MAX, Attempt, Decided, append_unless_stale, refuse
from .loading import fold
from .ports import Ledger, Office
from .submit import too_long

KeyUses = Callable[[PersonId | None], Awaitable[Sequence[KeyUse]]]
"""The keys about somebody (about everybody, if None) that still open."""

Decide = Callable[[Register, int, Adopted, datetime], Decided | Refusal]
"""Decides on the register at a version, under a catalogue, at a moment. Called anew for every try."""


async def load_register(ledger: Ledger) -> tuple[Register, int]:
    """The register as it is now, and the version of its stream. Raises SojournError from the ledger."""
    entries = await ledger.stream(KEEPING)
    return fold(registers.evolve, entries) or Register(), len(entries)


async def on_register(office: Office, attempt: Attempt, decide: Decide) -> Register | Refusal:
    """Decide on the register and record it. Gives it as it is afterwards, or the recorded refusal.

    Raises SojournError: `record.stale` after too many tries, else what the ledger raises.
    """
    for tried in range(TRIES_MAX):
        state, version = await load_register(office.ledger)
        adopted = office.in_force()
        decided = decide(state, version, adopted, office.clock.now())
        if isinstance(decided, Refusal):
            return await refuse(office, attempt, KEEPING, decided)
        changes = [
            Change(stream=KEEPING, event=event, seen=version + place) for place, event in enumerate(decided.events)
        ]
        if not changes or await append_unless_stale(office, tried, changes, decided.sealings, adopted):
            for event in decided.events:
                state = registers.evolve(state, event)
            return state
    raise SojournError(Code.RECORD_STALE, stream=KEEPING)


def sealed_reason(office: Office, person: PersonId, reason: str) -> Sealing | Refusal:
    """A reason, sealed; or why it will not do. Strangers leave nothing sealed behind."""
    known = office.in_force().catalogue.person(person)
    if known is None:
        return Refusal(Code.PERSON_UNKNOWN, {"person": person})
    if not reason.strip():
        return Refusal(Code.INPUT_INVALID, {"problem": "There is no reason", "expected": "why this is to be done"})
    return too_long(reason) or office.sealer.seal(person, reason.encode("utf-8", "backslashreplace"))
