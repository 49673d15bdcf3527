"""Spending an approval: an access begins, or lasts longer. Once, in time, and only while the rules still allow it."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import grant as grants
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import Event, GrantCreated, RequestActivated
from sojourn.domain.grant import Grant
from sojourn.domain.policy import lacking
from sojourn.domain.window import Window
from sojourn.errors import Code, Refusal

from .commands import Activate
from .content import question
from .judging import missing
from .state import Request, Status
from .submitting import blocked


def activate(state: Request, command: Activate, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    """Begin the access: the request's own event, and the one that opens the grant's stream."""
    asked = state.submitted
    if command.person != asked.person:
        return Refusal(Code.REQUEST_NOT_YOURS, {"request": state.id, "owner": asked.person})
    if asked.extends is not None:
        return Refusal(Code.REQUEST_EXTENSION_FIXED, {"request": state.id, "grant": asked.extends})
    if state.status is Status.ACTIVATED:
        return Refusal(Code.REQUEST_ALREADY_ACTIVATED, {"request": state.id, "grant": state.grant or ""})
    refusal = _spendable(state, adopted, now)
    if refusal is not None:
        return refusal
    if asked.start is not None and now < asked.start:
        return Refusal(Code.REQUEST_NOT_YET, {"request": state.id, "start": asked.start.isoformat()})
    role = adopted.catalogue.role(asked.target, asked.role)
    account = role.account if role is not None else ""
    # Of a planned span only the rest is given when it is begun late: its end does not move.
    end = now + asked.duration if asked.start is None else asked.start + asked.duration
    return (
        RequestActivated(request=state.id, person=command.person, grant=command.grant, source=command.source),
        GrantCreated(
            grant=command.grant,
            request=state.id,
            person=asked.person,
            target=asked.target,
            role=asked.role,
            window=Window(start=now, end=end),
            credential=account or command.credential,
            configuration_version=adopted.version,
            break_glass=asked.break_glass,
            review=asked.review,
        ),
    )


def extend(
    state: Request, grant: Grant, adopted: Adopted, now: datetime, *, source: str
) -> tuple[Event, ...] | Refusal:
    """Move the end of the grant, as soon as that is approved: the request's own event, and the grant's."""
    asked = state.submitted
    assert asked.extends == grant.id and asked.since is not None, "the grant is the one that the request names"
    refusal = _spendable(state, adopted, now)
    if refusal is not None:
        return refusal
    command = grants.Extend(
        request=state.id,
        since=asked.since,
        until=asked.since + asked.duration,
        configuration_version=adopted.version,
    )
    extended = grants.decide(grant, command, adopted, now)
    if isinstance(extended, Refusal):
        return extended
    return (RequestActivated(request=state.id, person=asked.person, grant=grant.id, source=source), *extended)


def _spendable(state: Request, adopted: Adopted, now: datetime) -> Refusal | None:
    """Why the approval cannot be spent, or None."""
    asked = state.submitted
    if state.status is not Status.APPROVED:
        return Refusal(Code.REQUEST_NOT_APPROVED, {"request": state.id, "status": state.status})
    if state.due is not None and now >= state.due:
        return Refusal(Code.REQUEST_EXPIRED, {"request": state.id, "at": state.due.isoformat()})
    asking = question(asked, now)
    terms = adopted.judge(asking)
    if isinstance(terms, Refusal):
        return terms
    short = missing(state, terms, adopted, now)
    if short > 0:
        status = f"{short} approvals short of what the policy in force asks for"
        return Refusal(Code.REQUEST_NOT_APPROVED, {"request": state.id, "status": status})
    return lacking(terms, asking) or blocked(adopted, asked.person)
