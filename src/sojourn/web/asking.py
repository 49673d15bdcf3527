"""Asking and deciding: targets, requests, approvals."""

from __future__ import annotations

from typing import Protocol

from sojourn.domain.duration import parse_duration
from sojourn.domain.identifiers import PersonId, RequestId, RoleName, TargetName
from sojourn.domain.people import Person
from sojourn.domain.policy import DURATION_MIN, Question
from sojourn.domain.request import Request
from sojourn.domain.target import Role, Target
from sojourn.errors import Code, Refusal, SojournError
from sojourn.projections import queries
from sojourn.projections.queries import RequestRow
from sojourn.workflow.approve import approve as approve_request
from sojourn.workflow.deny import deny as deny_request
from sojourn.workflow.ports import Office
from sojourn.workflow.submit import submit as submit_request
from sojourn.workflow.withdraw import withdraw as withdraw_request

from . import bodies, shapes
from .exchange import Exchange

PAGE = 100
SHREDDED = "(shredded)"
"""Stands for a text whose sealing key was destroyed."""


async def targets(exchange: Exchange) -> shapes.Targets:
    """GET /targets: what the caller may ask for, and under which terms."""
    caller = await exchange.caller()
    catalogue = exchange.services.office.in_force().catalogue
    offered = []
    for target in catalogue.targets:
        roles = tuple(found for role in target.roles if (found := _offer(exchange, caller, target, role)) is not None)
        if roles:
            offered.append(
                shapes.TargetOffered(target=target.name, kind=target.kind, description=target.description, roles=roles)
            )
    return shapes.Targets(targets=tuple(offered))


def _offer(exchange: Exchange, caller: Person, target: Target, role: Role) -> shapes.RoleOffered | None:
    office = exchange.services.office
    shortest = Question(
        person=caller.id, target=target.name, role=role.name, duration=DURATION_MIN, moment=office.clock.now()
    )
    terms = office.in_force().judge(shortest)
    if isinstance(terms, Refusal):
        return None
    return shapes.RoleOffered(
        role=role.name,
        description=role.description,
        privileges=role.opens,
        longest_seconds=int(terms.longest.total_seconds()),
        reason_required=terms.reason_required,
        approvals=terms.approvals,
        approvers=terms.approvers,
        rules=terms.rules,
    )


async def submit(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests: ask."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Ask)
    try:
        duration = parse_duration(sent.duration)
    except ValueError as error:
        raise SojournError(Code.REQUEST_DURATION_INVALID, asked=sent.duration[:100]) from error
    request = exchange.settled(
        await submit_request(
            exchange.services.office,
            person=caller.id,
            target=TargetName(sent.target),
            role=RoleName(sent.role),
            duration=duration,
            reason=sent.reason,
            source=exchange.source,
        )
    )
    return await _after(exchange, caller, request.id)


async def listing(exchange: Exchange) -> shapes.Requests:
    """GET /requests: one's own; with `waiting` those one can decide on; all for administrators and auditors."""
    caller = await exchange.caller()
    status, waiting = exchange.query("status"), exchange.query("waiting") is not None
    everything = (caller.administrator or caller.auditor) and exchange.query("mine") is None
    with exchange.services.projections.reading() as connection:
        rows = queries.requests(
            connection,
            person=None if everything or waiting else caller.id,
            waiting_for=caller.id if waiting else None,
            status=status,
            before=exchange.before(),
            limit=PAGE + 1,
        )
    shown = [await show(exchange, caller, row) for row in rows[:PAGE]]
    return shapes.Requests(
        requests=tuple(shown), more=len(rows) > PAGE, next=rows[PAGE - 1].seq if len(rows) > PAGE else None
    )


async def one(exchange: Exchange) -> shapes.RequestShown:
    """GET /requests/{name}: one request, for those whom it concerns."""
    caller = await exchange.caller()
    return await show(exchange, caller, await _row(exchange, caller, exchange.name))


async def approve(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/approve: say yes to what has this digest."""
    return await _decide(exchange, approve_request)


async def deny(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/deny: say no to what has this digest."""
    return await _decide(exchange, deny_request)


class _Verb(Protocol):
    """`workflow.approve.approve` and `workflow.deny.deny`."""

    async def __call__(
        self, office: Office, *, request: RequestId, person: PersonId, digest: str, source: str, comment: str = ""
    ) -> Request | Refusal: ...


async def _decide(exchange: Exchange, verb: _Verb) -> shapes.RequestShown:
    caller, sent = await exchange.caller(), await exchange.body(bodies.Decision)
    exchange.settled(
        await verb(
            exchange.services.office,
            request=RequestId(exchange.name),
            person=caller.id,
            digest=sent.digest,
            source=exchange.source,
            comment=sent.comment,
        )
    )
    return await _after(exchange, caller, exchange.name)


async def withdraw(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/withdraw: take it back."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    exchange.settled(
        await withdraw_request(
            exchange.services.office, request=RequestId(exchange.name), person=caller.id, source=exchange.source
        )
    )
    return await _after(exchange, caller, exchange.name)


async def _after(exchange: Exchange, caller: Person, name: str) -> shapes.RequestShown:
    await exchange.caught_up()
    return await show(exchange, caller, await _row(exchange, caller, name))


async def _row(exchange: Exchange, caller: Person, name: str) -> RequestRow:
    """The request, if the caller may see it; for anybody else there is none."""
    with exchange.services.projections.reading() as connection:
        row = queries.request(connection, name)
        people = {one.person for one in queries.approvers(connection, name)}
    if row is not None and (caller.id in people | {row.person} or caller.administrator or caller.auditor):
        return row
    raise SojournError(Code.REQUEST_UNKNOWN, request=name[:100])


async def show(exchange: Exchange, caller: Person, row: RequestRow) -> shapes.RequestShown:
    """A request as the caller sees it; the reason is opened for those who may see the request."""
    with exchange.services.projections.reading() as connection:
        approvers = queries.approvers(connection, row.id)
    reason = await opened(exchange, row.reason)
    decisions = [
        shapes.DecisionShown(
            person=one.person,
            decision=one.decision,
            at=one.decided_at or "",
            comment=await opened(exchange, one.comment),
        )
        for one in approvers
        if one.decision is not None
    ]
    open_to = {one.person for one in approvers if one.decision is None}
    return shapes.RequestShown(
        request=row.id,
        status=row.status,
        person=row.person,
        target=row.target,
        role=row.role,
        duration_seconds=row.seconds,
        reason=reason,
        digest=row.digest,
        rules=tuple(row.rules.split(", ")),
        approvers=tuple(PersonId(one.person) for one in approvers),
        approvals=row.approvals,
        decisions=tuple(decisions),
        submitted_at=row.submitted_at,
        due=row.due,
        grant=row.grant,
        decidable=row.status == "pending" and caller.id in open_to,
    )


async def opened(exchange: Exchange, commitment: str | None) -> str | None:
    """The text behind a commitment, or that it was shredded; None when there is none."""
    if commitment is None:
        return None
    for matter, key in await exchange.services.matter([commitment]):
        return exchange.services.open_value(matter, key).decode("utf-8", "backslashreplace")
    return SHREDDED
