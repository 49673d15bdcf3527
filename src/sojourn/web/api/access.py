"""Access: activating, connecting, ending, revoking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from sojourn.domain.events import TokenPurpose
from sojourn.domain.identifiers import GrantId, RequestId, TargetName
from sojourn.domain.people import Person
from sojourn.errors import Code, SojournError
from sojourn.identity import tokens
from sojourn.projections import assured, queries
from sojourn.projections.moments import text
from sojourn.projections.queries import GrantRow
from sojourn.web.exchange import PAGE, Exchange
from sojourn.workflow.activate import activate as activate_request
from sojourn.workflow.end_early import end_early
from sojourn.workflow.revoke import revoke as revoke_grant

from . import bodies, shapes

WAIT_SECONDS = 15.0
POLL_SECONDS = 0.02

CERTIFICATE = "certificate ssh-"
"""How a line begins that holds a whole certificate: on record, and of no use to a reader of lists."""

R = TypeVar("R")


async def activate(exchange: Exchange) -> shapes.GrantShown:
    """POST /requests/{name}/activate: spend the approval, and wait until the access is there."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    return show(await _activate(exchange, caller, exchange.name))


async def _activate(exchange: Exchange, caller: Person, request: str) -> GrantRow:
    grant = exchange.settled(
        await activate_request(
            exchange.services.office, request=RequestId(request), person=caller.id, source=exchange.source
        )
    )
    return await ready(exchange, grant.id)


async def ready(exchange: Exchange, grant: str) -> GrantRow:
    """The grant once it is there. Raises SojournError `grant.not_ready` or `grant.provisioning_failed`."""
    row = await _wait(exchange, grant, lambda row: row.status != "provisioning")
    if row.status == "provisioning":
        raise SojournError(Code.GRANT_NOT_READY, grant=grant, target=row.target)
    if row.status != "active" and row.cause == "provisioning_failed":
        raise SojournError(Code.GRANT_PROVISIONING_FAILED, target=row.target, problem=row.problem or "unknown")
    return row


async def _wait(exchange: Exchange, grant: str, until: Callable[[GrantRow], bool]) -> GrantRow:
    """The grant once `until` holds of it, or as it is when waiting has been long enough."""
    projections = exchange.services.projections
    await exchange.caught_up()
    tries = int(WAIT_SECONDS / POLL_SECONDS)
    while True:
        with projections.reading() as connection:
            row = queries.grant(connection, grant)
        assert row is not None, "a grant that was decided on is on record"
        tries -= 1
        if until(row) or not tries:
            return row
        await asyncio.sleep(POLL_SECONDS)


async def listing(exchange: Exchange) -> shapes.Grants:
    """GET /grants: one's own; all of them for administrators and auditors."""
    caller = await exchange.caller()
    everything = (caller.administrator or caller.auditor) and exchange.query("mine") is None
    with exchange.services.projections.reading() as connection:
        rows = queries.grants(
            connection,
            person=None if everything else caller.id,
            target=exchange.query("target"),
            status=exchange.query("status"),
            before=exchange.before(),
            limit=PAGE + 1,
        )
    return shapes.Grants(
        grants=tuple(map(show, rows[:PAGE])),
        more=len(rows) > PAGE,
        next=rows[PAGE - 1].seq if len(rows) > PAGE else None,
    )


async def one(exchange: Exchange) -> shapes.GrantShown:
    """GET /grants/{name}: one grant, for those whom it concerns."""
    caller = await exchange.caller()
    return show(visible(exchange, caller, exchange.name))


def visible(exchange: Exchange, caller: Person, name: str) -> GrantRow:
    """The grant, if the caller may see it; for anybody else there is none."""
    with exchange.services.projections.reading() as connection:
        row = queries.grant(connection, name)
    now = exchange.services.office.clock.now()
    if row is not None and (
        caller.administrator or caller.may_audit(now, row.target) or concerns(exchange, caller, row)
    ):
        return row
    raise SojournError(Code.GRANT_UNKNOWN, grant=name[:100])


def concerns(exchange: Exchange, caller: Person, row: GrantRow) -> bool:
    """Whether the caller holds this grant, could have decided about it, was told of it, or is to review it."""
    with exchange.services.projections.reading() as connection:
        approvers = queries.approvers(connection, row.request)
        watches = assured.watches(connection, caller.id, row.request)
    return caller.id == row.person or watches or any(caller.id == one.person for one in approvers)


async def revoke(exchange: Exchange) -> shapes.Ended:
    """POST /grants/{name}/revoke: take it away, and wait until it is read back as gone."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    exchange.settled(
        await revoke_grant(
            exchange.services.office, grant=GrantId(exchange.name), person=caller.id, source=exchange.source
        )
    )
    return await _ended(exchange)


async def end(exchange: Exchange) -> shapes.Ended:
    """POST /grants/{name}/end: the holder is done."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    exchange.settled(
        await end_early(
            exchange.services.office, grant=GrantId(exchange.name), person=caller.id, source=exchange.source
        )
    )
    return await _ended(exchange)


async def _ended(exchange: Exchange) -> shapes.Ended:
    row = await _wait(exchange, exchange.name, lambda row: row.status == "removed")
    await exchange.caught_up()
    with exchange.services.projections.reading() as connection:
        cut = [
            one.cut_lag_us
            for one in queries.sessions(connection, grant=row.id)
            if one.cause == "grant_ended" and one.cut_lag_us is not None
        ]
    removal = None
    if row.removed_at is not None and row.ended_at is not None:
        between = datetime.fromisoformat(row.removed_at) - datetime.fromisoformat(row.ended_at)
        removal = round(between.total_seconds() * 1000)
    return shapes.Ended(
        grant=show(row),
        removed=row.status == "removed",
        sessions_cut=len(cut),
        cut_us_max=max(cut, default=None),
        removal_ms=removal,
    )


async def connect(exchange: Exchange) -> shapes.Connection:
    """POST /targets/{name}/connection: all that a client needs; an approval that is waiting is spent for it."""
    services, caller = exchange.services, await exchange.caller()
    sent = await exchange.body(bodies.ConnectionAsk)
    target = services.office.in_force().catalogue.target(TargetName(exchange.name))
    if target is None:
        raise SojournError(Code.TARGET_UNKNOWN, target=exchange.name[:100])
    if target.ssh is not None:
        expected = f"`ssh {target.name}`, after `sojourn activate` and `sojourn ssh-config`"
        raise SojournError(Code.INPUT_INVALID, problem=f"{target.name} is an SSH host", expected=expected)
    row = await _active(exchange, caller, sent.role)
    token, issued = await tokens.issue(
        services.office,
        person=caller.id,
        purpose=TokenPurpose.GATEWAY,
        life=services.settings.control.gateway_token_life,
        source=exchange.source,
        secret=services.random_bytes(tokens.SECRET_BYTES),
        gateway_sealer=services.gateway_sealer,
    )
    _, port = services.gateway_address()
    host, user = services.settings.gateway.public_host, f"{caller.id}+{row.role}"
    return shapes.Connection(
        grant=row.id,
        person=caller.id,
        target=row.target,
        role=row.role,
        grant_end=row.end,
        host=host,
        port=port,
        database=row.target,
        user=user,
        token=token,
        token_expires_at=text(issued.expires_at),
        authority=services.authority,
        url=f"postgresql://{user.replace('+', '%2B')}:{token}@{host}:{port}/{row.target}?sslmode=require",
    )


async def _active(exchange: Exchange, caller: Person, role: str) -> GrantRow:
    """The caller's active grant on the target, activating the one approved request if there is no grant yet.

    Raises SojournError `grant.ambiguous` when it is not clear which is meant, `grant.none_active` when there is none.
    """
    await exchange.caught_up()
    with exchange.services.projections.reading() as connection:
        rows = queries.grants(connection, person=caller.id, target=exchange.name)
        waiting = queries.requests(connection, person=caller.id, statuses=("approved",))
    now = text(exchange.services.office.clock.now())
    held = [row for row in rows if role in ("", row.role) and row.end > now]
    active = {row.role: row for row in held if row.status == "active"}
    approved = {
        row.role: row
        for row in waiting
        if row.target == exchange.name and role in ("", row.role) and (row.due is None or row.due > now)
    }
    if active:
        return _sole(active, caller, exchange.name)
    for row in held:
        if row.status == "provisioning":
            return await ready(exchange, row.id)
    if approved:
        return await _activate(exchange, caller, _sole(approved, caller, exchange.name).id)
    raise SojournError(Code.GRANT_NONE_ACTIVE, person=caller.id, target=exchange.name)


def _sole(rows: Mapping[str, R], caller: Person, target: str) -> R:
    if len(rows) > 1:
        raise SojournError(Code.GRANT_AMBIGUOUS, person=caller.id, target=target, roles=", ".join(sorted(rows)))
    return next(iter(rows.values()))


def show(row: GrantRow) -> shapes.GrantShown:
    """A grant as people see it."""
    return shapes.GrantShown(
        grant=row.id,
        status=row.status,
        request=row.request,
        person=row.person,
        target=row.target,
        role=row.role,
        start=row.start,
        end=row.end,
        privileges=tuple(line for line in (row.observed or "").splitlines() if not line.startswith(CERTIFICATE)),
        ended_at=row.ended_at,
        cause=row.cause,
        ended_by=row.ended_by,
        removed_at=row.removed_at,
        problem=row.problem,
        extended=row.extended,
        prolonged_to=row.prolonged_to,
        overdue_since=row.overdue_since if row.removed_at is None else None,
        leftovers=tuple((row.leftovers or "").splitlines()),
        break_glass=bool(row.break_glass),
    )
