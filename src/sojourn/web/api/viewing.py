"""Requests as people see them: what an approver will see is what the requester sees, and all of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import Person
from sojourn.domain.policy import ApproverGroup, Facts, say_given_ticket
from sojourn.errors import Code, SojournError
from sojourn.projections import assured, queries
from sojourn.projections.queries import ApproverRow, CommentRow, RequestRow
from sojourn.web.exchange import Exchange

from . import shapes

SHREDDED = "(shredded)"
"""Stands for a text whose sealing key was destroyed."""


async def show(exchange: Exchange, caller: Person, name: str) -> shapes.RequestShown:
    """The request with what was said about it, if the caller may see it; for anybody else there is none.

    Raises SojournError `request.unknown`.
    """
    with exchange.services.projections.reading() as connection:
        row = queries.request(connection, name)
        approvers = queries.approvers(connection, name)
        if row is None or not _may_see(exchange, caller, connection, row, approvers):
            raise SojournError(Code.REQUEST_UNKNOWN, request=name[:100])
        comments = queries.comments(connection, name)
    texts = await opened_all(exchange, [*_sealed(row, approvers), *(one.text for one in comments)])
    return _shown(exchange, caller, row, approvers, comments, texts)


def _may_see(
    exchange: Exchange, caller: Person, connection: Connection, row: RequestRow, approvers: Sequence[ApproverRow]
) -> bool:
    """Whether it concerns the caller: whose it is, who may decide, who watches its use, and who oversees."""
    if row.person == caller.id or caller.administrator or caller.auditor:
        return True
    office = exchange.services.office
    own = {caller.id, *office.in_force().standing.delegators(caller.id, office.clock.now())}
    return any(one.person in own for one in approvers) or assured.watches(connection, caller.id, row.id)


async def show_all(exchange: Exchange, caller: Person, rows: Sequence[RequestRow]) -> tuple[shapes.RequestShown, ...]:
    """Several requests, without what was said about them; everything that they need is read at once."""
    with exchange.services.projections.reading() as connection:
        found = queries.approvers_of(connection, [row.id for row in rows])
    texts = await opened_all(exchange, [one for row in rows for one in _sealed(row, found.get(row.id, ()))])
    return tuple(_shown(exchange, caller, row, found.get(row.id, ()), (), texts) for row in rows)


def _sealed(row: RequestRow, approvers: Sequence[ApproverRow]) -> list[str]:
    """What is sealed of a request and of the decisions on it."""
    return [row.reason, *(one.comment for one in approvers if one.comment is not None)]


def _shown(
    exchange: Exchange,
    caller: Person,
    row: RequestRow,
    approvers: Sequence[ApproverRow],
    comments: Sequence[CommentRow],
    texts: dict[str, str],
) -> shapes.RequestShown:
    office = exchange.services.office
    now = office.clock.now()
    standing = office.in_force().standing
    facts = msgspec.json.decode(row.facts, type=Facts)
    return shapes.RequestShown(
        request=row.id,
        status=row.status,
        person=row.person,
        target=row.target,
        role=row.role,
        duration_seconds=row.seconds,
        reason=texts.get(row.reason),
        digest=row.digest,
        rules=tuple(row.rules.split(", ")),
        approvers=tuple(PersonId(one.person) for one in approvers),
        approvals=row.approvals,
        decisions=tuple(_decision(one, texts) for one in approvers if one.decision is not None),
        submitted_at=row.submitted_at,
        due=row.due,
        grant=row.grant,
        decidable=_decidable(row, caller, approvers, {caller.id, *standing.delegators(caller.id, now)}),
        revision=row.revision,
        start=row.start,
        extends=row.extends,
        since=row.since,
        break_glass=bool(row.break_glass),
        automatic=row.automatic,
        escalates_at=row.escalate_at,
        escalated_at=row.escalated_at,
        cause=row.cause,
        groups=tuple(
            shapes.GroupShown(name=group.name, needed=group.needed, people=group.people)
            for group in msgspec.json.decode(row.groups, type=tuple[ApproverGroup, ...])
        ),
        reason_code=facts.reason_code,
        ticket=say_given_ticket(facts),
        incident=facts.incident or facts.incident_named,
        activities=facts.activities,
        away=tuple(
            shapes.AwayShown(person=one.person, delegate=standing.delegate_of(PersonId(one.person), now))
            for one in approvers
            if standing.away(PersonId(one.person), now)
        ),
        comments=tuple(_comment(one, texts) for one in comments),
    )


def _decidable(row: RequestRow, caller: Person, approvers: Sequence[ApproverRow], places: set[PersonId]) -> bool:
    """Whether the caller can decide now, in one of `places`: their own, or that of somebody away."""
    open_to = {one.person for one in approvers if one.decision is None}
    acted = {one.acted for one in approvers}
    fresh = row.status == "pending" and row.person != caller.id and caller.id not in acted
    return fresh and not places.isdisjoint(open_to)


def _decision(row: ApproverRow, texts: dict[str, str]) -> shapes.DecisionShown:
    return shapes.DecisionShown(
        person=row.acted or row.person,
        decision=row.decision or "",
        at=row.decided_at or "",
        comment=None if row.comment is None else texts.get(row.comment),
        on_behalf_of=None if row.acted in (None, row.person) else row.person,
    )


def _comment(row: CommentRow, texts: dict[str, str]) -> shapes.CommentShown:
    return shapes.CommentShown(
        number=row.number,
        person=row.person,
        at=row.at,
        text=texts.get(row.text),
        question=bool(row.question),
        answers=row.answers,
        answered=bool(row.answered),
    )


async def opened(exchange: Exchange, commitment: str | None) -> str | None:
    """The text behind a commitment, or that it was shredded; None when there is none."""
    if commitment is None:
        return None
    return (await opened_all(exchange, (commitment,)))[commitment]


async def opened_all(exchange: Exchange, commitments: Sequence[str]) -> dict[str, str]:
    """The texts behind commitments, or that they were shredded."""
    if not commitments:
        return {}
    asked = tuple(dict.fromkeys(commitments))
    texts = dict.fromkeys(asked, SHREDDED)
    for matter, key in await exchange.services.matter(asked):
        texts[matter.commitment] = exchange.services.open_value(matter, key).decode("utf-8", "backslashreplace")
    return texts
