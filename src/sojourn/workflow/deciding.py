"""The one mechanism behind every verb: read, fold, decide, append; and once more if the record moved meanwhile.

- What is appended names the versions that the decision was made on. If anything has moved, nothing is recorded,
  and the decision is made again on what is there now.
- A decision that relied on the configuration guards it, and the standing of its people: it cannot be recorded under
  a configuration that is no longer in force, or for somebody who has left meanwhile.
- A refusal is recorded once, in the stream of attempts, and then given back.
- After `record.unavailable` nobody knows whether an append was recorded. It is never repeated here: the error
  goes to the caller, who looks at the state before trying again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from sojourn.domain import grant as grants
from sojourn.domain import request as requests
from sojourn.domain.campaign import Campaign
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import AttemptRefused, Event
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change, Guard
from sojourn.domain.identifiers import (
    ATTEMPTS,
    CONFIGURATION,
    STANDING,
    GrantId,
    RequestId,
    StreamName,
    grant_stream,
    request_stream,
)
from sojourn.domain.request import Request
from sojourn.domain.review import Review
from sojourn.domain.sealed import Sealing
from sojourn.errors import Code, Refusal, SojournError

from .loading import fold, is_id
from .ports import Access, Office

TRIES_MAX = 20
WAIT_SECONDS_MAX = 0.05
TEXT_LENGTH_MAX = 200
DETAILS_MAX = 16
SYSTEM_ACTOR = "system"
"""The actor on record of what time and the enforcer do. Nothing is decided by this name."""

State = TypeVar("State", bound=Request | Grant | Review | Campaign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who tries what, and from where. Goes on record if it is refused.

    A `stranger` has not shown yet who they are: of many attempts from one address some are only counted.
    """

    verb: str
    actor: str
    source: str
    stranger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a decision says should be recorded. `also` are changes to other streams, in the same append."""

    events: tuple[Event, ...]
    also: tuple[Change, ...] = ()
    sealings: tuple[Sealing, ...] = ()


Decide = Callable[[State, Adopted, datetime], Decided | Refusal]
"""Decides on a state, under a catalogue, at a moment. Called anew for every try, and otherwise pure."""


Look = Callable[[State], Awaitable[None]]
"""Reads what else a decision on a state needs, before every try."""


async def nothing_else(_: object) -> None:
    """Most decisions need nothing but the state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject(Generic[State]):
    """The thing that a decision is about: its stream, its fold, and what to say when there is none."""

    stream: StreamName
    looked_up: bool
    evolve: Callable[[State | None, Event], State | None]
    unknown: Refusal


async def on_request(
    office: Office,
    attempt: Attempt,
    request: RequestId,
    decide: Decide[Request],
    *,
    guarded: bool,
    look: Look[Request] = nothing_else,
) -> Request | Refusal:
    """Decide on a request and record it. `guarded` says that the decision relies on the configuration.

    Gives the request as it is afterwards, or the recorded refusal. Raises SojournError: `record.stale` after too
    many tries, else what the ledger raises.
    """
    return await settle(
        office,
        attempt,
        Subject(
            stream=request_stream(request),
            looked_up=is_id(request),
            evolve=requests.evolve,
            unknown=Refusal(Code.REQUEST_UNKNOWN, {"request": shown(request)}),
        ),
        decide,
        guarded=guarded,
        look=look,
    )


async def on_grant(
    office: Office,
    attempt: Attempt,
    grant: GrantId,
    decide: Decide[Grant],
    *,
    guarded: bool,
    look: Look[Grant] = nothing_else,
) -> Grant | Refusal:
    """Decide on a grant and record it. `guarded` says that the decision relies on the configuration.

    Gives the grant as it is afterwards, or the recorded refusal. Raises as `on_request` does.
    """
    return await settle(
        office,
        attempt,
        Subject(
            stream=grant_stream(grant),
            looked_up=is_id(grant),
            evolve=grants.evolve,
            unknown=Refusal(Code.GRANT_UNKNOWN, {"grant": shown(grant)}),
        ),
        decide,
        guarded=guarded,
        look=look,
    )


async def settle(
    office: Office,
    attempt: Attempt,
    subject: Subject[State],
    decide: Decide[State],
    *,
    guarded: bool,
    look: Look[State] = nothing_else,
) -> State | Refusal:
    """Decide on what `subject` says and record it. Gives and raises as `on_request` does."""
    for tried in range(TRIES_MAX):
        entries = await office.ledger.stream(subject.stream) if subject.looked_up else ()
        state = fold(subject.evolve, entries)
        if state is None:
            return await refuse(office, attempt, subject.stream, subject.unknown)
        await look(state)
        adopted = office.in_force()
        decided: Decided | Refusal = decide(state, adopted, office.clock.now())
        if isinstance(decided, Refusal):
            return await refuse(office, attempt, subject.stream, decided)
        if not decided.events:
            return state
        changes = tuple(
            Change(stream=subject.stream, event=event, seen=len(entries) + place)
            for place, event in enumerate(decided.events)
        )
        if await append_unless_stale(
            office, tried, (*changes, *decided.also), decided.sealings, adopted if guarded else None
        ):
            return _after(subject, state, decided.events)
    raise SojournError(Code.RECORD_STALE, stream=subject.stream)


def _after(subject: Subject[State], state: State, events: tuple[Event, ...]) -> State:
    for event in events:
        evolved = subject.evolve(state, event)
        assert evolved is not None, "an event never unmakes a thing"
        state = evolved
    return state


async def append_unless_stale(
    office: Office,
    tried: int,
    changes: Sequence[Change],
    sealings: Sequence[Sealing],
    relied_on: Adopted | None,
    attachments: Sequence[bytes] = (),
) -> bool:
    """Append, guarding the configuration that was relied on. False if the record had moved: then nothing was recorded.

    Waits a little before it says False, longer with every try: the catalogue in force follows the ledger, and
    may need a moment to see what the ledger already has.
    """
    guards: tuple[Guard, ...] = ()
    if relied_on is not None:
        guards = (
            Guard(stream=CONFIGURATION, seen=relied_on.version),
            Guard(stream=STANDING, seen=relied_on.standing.version),
        )
    try:
        await office.ledger.append(changes, guards=guards, sealings=sealings, attachments=attachments)
    except SojournError as error:
        if error.code is not Code.RECORD_STALE:
            raise
        await asyncio.sleep(min(WAIT_SECONDS_MAX, 0.001 * 2**tried))
        return False
    return True


async def refuse(office: Office, attempt: Attempt, subject: StreamName | str, refusal: Refusal) -> Refusal:
    """Put the refusal on record, and give it back. Raises what the ledger raises: no answer without a record.

    One of a stranger's many is only counted, and a later entry says how many there were (see `strangers`).
    """
    address = attempt.source.rpartition(":")[0]
    # Kind by kind: a flood of one does not hide the first attempts of another.
    unsaid = office.counted(f"{attempt.verb} {address}") if attempt.stranger else 0
    if unsaid is None:
        return refusal
    said = {**refusal.details, "not_recorded_before": str(unsaid)} if unsaid else refusal.details
    details = tuple((shown(name), shown(value)) for name, value in sorted(said.items())[:DETAILS_MAX])
    event = AttemptRefused(
        verb=attempt.verb,
        actor=shown(attempt.actor),
        code=refusal.code,
        subject=shown(subject),
        source=shown(attempt.source),
        details=details,
    )
    await office.ledger.append((Change(stream=ATTEMPTS, event=event, seen=None),))
    return refusal


def as_known(office: Office, state: Request, now: datetime) -> Request:
    """The request with what is known by now about what it rests on: facts may have come, ended or been withdrawn."""
    asked = state.submitted
    access = Access(person=asked.person, target=asked.target, role=asked.role)
    facts = office.gather(asked.facts, access, now)
    return state if facts == asked.facts else replace(state, submitted=replace(asked, facts=facts))


def shown(text: str) -> str:
    """`text` as it may stand in the record: of bounded length, and with nothing in it that UTF-8 cannot say."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return whole if len(whole) <= TEXT_LENGTH_MAX else whole[: TEXT_LENGTH_MAX - 1] + "…"


def must(settled: State | Refusal) -> State:
    """The state; for verbs whose refusal would be a fault of the caller, not an answer.

    Raises SojournError with the refusal's code; the refusal is on record by then.
    """
    if isinstance(settled, Refusal):
        raise SojournError(settled.code, **settled.details)
    return settled


def plainly(command: grants.Command) -> Decide[Grant]:
    """The decision on a grant that needs nothing besides the rules in `domain.grant`."""

    def decide(state: Grant, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = grants.decide(state, command, adopted, now)
        return decided if isinstance(decided, Refusal) else Decided(events=decided)

    return decide
