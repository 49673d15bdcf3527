"""Review: what was done under an access is looked at by somebody who had no part in it."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import review as reviews
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import Event, ReviewOutcome, TeamsBlocked, TeamsUnblocked
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change
from sojourn.domain.identifiers import STANDING, GrantId, PersonId, review_stream
from sojourn.domain.policy import Duty
from sojourn.domain.request import Request
from sojourn.domain.review import Conclude, Note, ReportReviewOverdue, Review
from sojourn.errors import Code, Refusal

from .deciding import (
    SYSTEM_ACTOR,
    Attempt,
    Decide,
    Decided,
    Look,
    Subject,
    append_unless_stale,
    must,
    nothing_else,
    settle,
    shown,
)
from .executing import executors
from .loading import is_id, load_grant_at, load_request
from .ports import Access, Office
from .submit import too_long


async def open_review(office: Office, *, grant: GrantId, ended_at: datetime, used: bool) -> bool:
    """Open the review that an access which is over asks for; whether there was one to open.

    `used` says whether a session was opened under it. Opening it twice opens it once. Raises SojournError
    `grant.unknown`, or the ledger's.
    """
    held, _ = await load_grant_at(office.ledger, grant)
    asked = await _asked(office, held)
    executing = await _executing(office, held, asked)
    adopted = office.in_force()
    event = reviews.open_review(
        held,
        asked,
        adopted,
        ended_at=ended_at,
        used=used,
        certified=_certified(office, held),
        executing=executing,
    )
    if event is None:
        return False
    change = Change(stream=review_stream(grant), event=event, seen=0)
    return await append_unless_stale(office, 0, (change,), (), adopted)


async def note(
    office: Office,
    *,
    grant: GrantId,
    person: PersonId,
    text: str,
    source: str,
    question: bool = False,
    answers: int | None = None,
) -> Review | Refusal:
    """Say something in a review, ask the holder, or reply. `text` is sealed.

    Gives the review afterwards, or why not (on record as an attempt). Raises SojournError from the ledger.
    """

    def decide(state: Review, adopted: Adopted, now: datetime) -> Decided | Refusal:
        if not text.strip():
            return Refusal(Code.INPUT_INVALID, {"problem": "Nothing was said", "expected": "a text"})
        refusal = too_long(text)
        if refusal is not None:
            return refusal
        sealing = office.sealer.seal(person, text.encode("utf-8", "backslashreplace"))
        command = Note(person=person, text=sealing.sealed, source=shown(source), question=question, answers=answers)
        decided = reviews.decide(state, command, adopted, now)
        return decided if isinstance(decided, Refusal) else Decided(events=decided, sealings=(sealing,))

    return await _on_review(office, Attempt(verb="note", actor=person, source=source), grant, decide_by=decide)


async def conclude(
    office: Office,
    *,
    grant: GrantId,
    person: PersonId,
    outcome: ReviewOutcome,
    answers: tuple[str, ...],
    remark: str,
    seen: tuple[int, int, int],
    source: str,
) -> Review | Refusal:
    """Conclude the review. `seen` are the sessions, actions and possible writes that were there to see.

    `remark` is sealed. Gives the review afterwards, or why not (on record as an attempt). Raises SojournError from
    the ledger.
    """
    sessions, actions, writes = seen
    certified: list[PersonId] = []
    executing: list[PersonId] = []

    async def look(state: Review) -> None:
        held, _ = await load_grant_at(office.ledger, state.grant)
        certified[:] = _certified(office, held)
        executing[:] = await _executing(office, held, await _asked(office, held))

    def decide(state: Review, adopted: Adopted, now: datetime) -> Decided | Refusal:
        refusal = too_long(remark)
        if refusal is not None:
            return refusal
        sealing = office.sealer.seal(person, remark.encode("utf-8", "backslashreplace")) if remark.strip() else None
        command = Conclude(
            person=person,
            outcome=outcome,
            answers=answers,
            sessions=sessions,
            actions=actions,
            writes=writes,
            source=shown(source),
            remark=None if sealing is None else sealing.sealed,
            certified=tuple(certified),
            executing=tuple(executing),
        )
        decided = reviews.decide(state, command, adopted, now)
        if isinstance(decided, Refusal):
            return decided
        return _apart(decided, adopted, Decided(events=(), sealings=() if sealing is None else (sealing,)))

    attempt = Attempt(verb="conclude", actor=person, source=source)
    return await _on_review(office, attempt, grant, decide_by=decide, look=look)


async def _asked(office: Office, held: Grant) -> tuple[Request, ...]:
    """The requests that gave the access: the one that it began with, and those that made it last longer."""
    names = (held.created.request, *held.extended_by)
    asked = [await load_request(office.ledger, name) for name in names]
    return tuple(one for one in asked if one is not None)


async def _executing(office: Office, held: Grant, asked: tuple[Request, ...]) -> tuple[PersonId, ...]:
    """Who was named to carry out what the access was for, by now."""
    person = held.created.person
    accounts = office.in_force().policy.accounts.get(person, frozenset((person,)))
    return await executors(office.ledger, asked, accounts)


def _certified(office: Office, held: Grant) -> tuple[PersonId, ...]:
    """Who confirmed in a certification that the holder may have this access."""
    made = held.created
    done = office.took_part(Access(person=made.person, target=made.target, role=made.role))
    return tuple(done.get(Duty.CERTIFY, ()))


async def report_overdue(office: Office, grant: GrantId) -> Review:
    """Say that a review is overdue, if it is; its teams are given nothing new from then on.

    Raises SojournError `review.unknown`, or the ledger's.
    """

    def decide(state: Review, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = reviews.decide(state, ReportReviewOverdue(), adopted, now)
        return decided if isinstance(decided, Refusal) else _apart(decided, adopted, Decided(events=()))

    attempt = Attempt(verb="review_overdue", actor=SYSTEM_ACTOR, source="")
    return must(await _on_review(office, attempt, grant, decide_by=decide))


async def _on_review(
    office: Office,
    attempt: Attempt,
    grant: GrantId,
    *,
    decide_by: Decide[Review],
    look: Look[Review] = nothing_else,
) -> Review | Refusal:
    subject: Subject[Review] = Subject(
        stream=review_stream(grant),
        looked_up=is_id(grant),
        evolve=reviews.evolve,
        unknown=Refusal(Code.REVIEW_UNKNOWN, {"grant": shown(grant)}),
    )
    return await settle(office, attempt, subject, decide_by, guarded=True, look=look)


def _apart(decided: tuple[Event, ...], adopted: Adopted, rest: Decided) -> Decided:
    """The review's own events, and what changes the standing of people, in one append."""
    own = tuple(event for event in decided if not isinstance(event, TeamsBlocked | TeamsUnblocked))
    other = [event for event in decided if isinstance(event, TeamsBlocked | TeamsUnblocked)]
    also = tuple(
        Change(stream=STANDING, event=event, seen=adopted.standing.version + place) for place, event in enumerate(other)
    )
    return Decided(events=own, also=also, sealings=rest.sealings)
