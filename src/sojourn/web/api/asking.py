"""Asking: what may be had, requests, changes to them, and more time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sojourn.domain.duration import parse_duration
from sojourn.domain.identifiers import GrantId, RequestId, RoleName, TargetName
from sojourn.domain.people import Person
from sojourn.domain.policy import DURATION_MIN, Facts, Question
from sojourn.domain.request import Status
from sojourn.domain.target import Role, Target
from sojourn.errors import Code, Refusal, SojournError
from sojourn.projections import assured, queries
from sojourn.web.exchange import PAGE, Exchange
from sojourn.workflow.extend import extend as extend_grant
from sojourn.workflow.revise import revise as revise_request
from sojourn.workflow.submit import submit as submit_request
from sojourn.workflow.withdraw import withdraw as withdraw_request

from . import assurance_shapes, bodies, shapes
from .viewing import show, show_all


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
    request = exchange.settled(
        await submit_request(
            exchange.services.office,
            person=caller.id,
            target=TargetName(sent.target),
            role=RoleName(sent.role),
            duration=duration_of(sent.duration),
            reason=sent.reason,
            source=exchange.source,
            facts=facts_of(sent),
            start=moment(sent.start) if sent.start else None,
        )
    )
    return await after(exchange, caller, request.id)


async def revise(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/revise: ask for this instead; it is decided anew."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Ask)
    exchange.settled(
        await revise_request(
            exchange.services.office,
            request=RequestId(exchange.name),
            person=caller.id,
            target=TargetName(sent.target),
            role=RoleName(sent.role),
            duration=duration_of(sent.duration),
            reason=sent.reason,
            source=exchange.source,
            facts=facts_of(sent),
            start=moment(sent.start) if sent.start else None,
        )
    )
    return await after(exchange, caller, exchange.name)


async def extend(exchange: Exchange) -> shapes.RequestShown:
    """POST /grants/{name}/extend: ask that an access of one's own lasts longer."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.MoreTime)
    request = exchange.settled(
        await extend_grant(
            exchange.services.office,
            grant=GrantId(exchange.name),
            person=caller.id,
            duration=duration_of(sent.duration),
            reason=sent.reason,
            source=exchange.source,
            facts=facts_of(sent),
        )
    )
    return await after(exchange, caller, request.id)


def duration_of(sent: str) -> timedelta:
    """A duration such as `30m`. Raises SojournError `request.duration_invalid`."""
    try:
        return parse_duration(sent)
    except ValueError as error:
        raise SojournError(Code.REQUEST_DURATION_INVALID, asked=sent[:100]) from error


def facts_of(sent: bodies.Ask | bodies.MoreTime | bodies.Glass) -> Facts:
    """What the caller declares. What is so of the ticket and the incident, the record says (`Office.gather`)."""
    return Facts(
        reason_code=sent.reason_code,
        ticket_named=sent.ticket,
        activities=sent.activities,
        incident_named=sent.incident,
    )


async def listing(exchange: Exchange) -> shapes.Requests:
    """GET /requests: one's own; with `waiting` what one has to look at; all for administrators and auditors."""
    caller = await exchange.caller()
    status, waiting = exchange.query("status"), exchange.query("waiting") is not None
    everything = (caller.administrator or caller.auditor) and exchange.query("mine") is None
    office = exchange.services.office
    places = (caller.id, *office.in_force().standing.delegators(caller.id, office.clock.now()))
    with exchange.services.projections.reading() as connection:
        rows = queries.requests(
            connection,
            person=None if everything or waiting else caller.id,
            waiting_for=places if waiting else None,
            statuses=(status,) if status is not None else (),
            before=exchange.before(),
            limit=PAGE + 1,
        )
        told = assured.glass_told(connection, caller.id) if waiting else ()
    shown = await show_all(exchange, caller, rows[:PAGE])
    following = rows[PAGE - 1].seq if len(rows) > PAGE else None
    return shapes.Requests(requests=shown, more=following is not None, next=following, told=tuple(map(_told, told)))


async def own(exchange: Exchange, *statuses: Status, count: int) -> tuple[shapes.RequestShown, ...]:
    """The caller's own newest requests in these statuses, `count` at most: for a page that shows a few."""
    caller = await exchange.caller()
    with exchange.services.projections.reading() as connection:
        rows = queries.requests(connection, person=caller.id, statuses=statuses, limit=count)
    return await show_all(exchange, caller, rows)


def _told(row: assured.GlassRow) -> assurance_shapes.GlassShown:
    return assurance_shapes.GlassShown(
        grant=row.grant,
        request=row.request,
        person=row.person,
        taken_at=row.taken_at,
        target=row.target,
        role=row.role,
        status=row.status,
    )


async def one(exchange: Exchange) -> shapes.RequestShown:
    """GET /requests/{name}: one request, for those whom it concerns."""
    caller = await exchange.caller()
    return await show(exchange, caller, exchange.name)


async def withdraw(exchange: Exchange) -> shapes.RequestShown:
    """POST /requests/{name}/withdraw: take it back."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    exchange.settled(
        await withdraw_request(
            exchange.services.office, request=RequestId(exchange.name), person=caller.id, source=exchange.source
        )
    )
    return await after(exchange, caller, exchange.name)


async def after(exchange: Exchange, caller: Person, name: str) -> shapes.RequestShown:
    """The request as it is once one's own change can be read."""
    await exchange.caught_up()
    return await show(exchange, caller, name)


def moment(given: str) -> datetime:
    """A moment that a caller sent: RFC 3339 with its offset. Raises SojournError `input.invalid`."""
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise SojournError(
            Code.INPUT_INVALID,
            problem=f"{given[:50]!a} is no moment",
            expected="a date and time with its offset, such as 2026-12-01T08:00:00Z",
        )
    return found.astimezone(UTC)
