"""Targets themselves, for administrators and auditors: what is lacking there, and what differs from the record."""

from __future__ import annotations

from sojourn.domain.events import TargetReconciled
from sojourn.domain.identifiers import TargetName
from sojourn.domain.people import Person
from sojourn.domain.target import Target
from sojourn.errors import Code, SojournError
from sojourn.projections.moments import text
from sojourn.projections.reconciling import LookRow, looks
from sojourn.web.exchange import PAGE, Exchange

from . import bodies, target_shapes


async def inventory(exchange: Exchange) -> target_shapes.Inventory:
    """GET /inventory: all targets, what their roles open, and how each was found; for administrators and auditors."""
    caller = await exchange.caller()
    _overseer(caller, "see all targets")
    targets = exchange.services.office.in_force().catalogue.targets
    with exchange.services.projections.reading() as connection:
        last = {one.name: looks(connection, one.name, limit=1) for one in targets}
    return target_shapes.Inventory(
        targets=tuple(
            target_shapes.TargetKept(
                target=one.name,
                kind=one.kind,
                description=one.description,
                host=one.host,
                labels=dict(one.labels),
                roles=tuple(
                    target_shapes.RoleKept(role=role.name, description=role.description, privileges=role.opens)
                    for role in one.roles
                ),
                last_look=_look(one.name, last[one.name][0]) if last[one.name] else None,
            )
            for one in targets
        )
    )


def _overseer(caller: Person, action: str) -> None:
    if not (caller.administrator or caller.auditor):
        raise SojournError(
            Code.PERMISSION_DENIED, person=caller.id, action=action, who="an administrator or an auditor"
        )


async def _target(exchange: Exchange, caller: Person, action: str) -> Target:
    """The target that is named, for those who may look behind it."""
    _overseer(caller, action)
    target = exchange.services.office.in_force().catalogue.target(TargetName(exchange.name))
    if target is None:
        raise SojournError(Code.TARGET_UNKNOWN, target=exchange.name)
    return target


async def preflight(exchange: Exchange) -> target_shapes.PreflightShown:
    """POST /targets/{name}/preflight: what Sojourn's account lacks there; for administrators and auditors."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    target = await _target(exchange, caller, "look at a target")
    lacking = await exchange.services.preflight(target)
    return target_shapes.PreflightShown(target=target.name, lacking=lacking)


async def reconcile(exchange: Exchange) -> target_shapes.LookShown:
    """POST /targets/{name}/reconcile: look now and compare with the record; for administrators and auditors."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    target = await _target(exchange, caller, "reconcile a target")
    seen = await exchange.services.reconcile(target)
    return _shown(seen, at=text(exchange.services.office.clock.now()), seq=None)


async def listing(exchange: Exchange) -> target_shapes.Looks:
    """GET /targets/{name}/looks: what was seen there lately; for administrators and auditors."""
    target = await _target(exchange, await exchange.caller(), "see what was found at a target")
    with exchange.services.projections.reading() as connection:
        rows = looks(connection, target.name, before=exchange.before(), limit=PAGE + 1)
    more = len(rows) > PAGE
    return target_shapes.Looks(
        looks=tuple(_look(target.name, row) for row in rows[:PAGE]),
        more=more,
        next=rows[PAGE - 1].seq if more else None,
    )


def _look(target: TargetName, row: LookRow) -> target_shapes.LookShown:
    if row.seen is not None:
        return _shown(row.seen, at=row.at, seq=row.seq)
    return _unseen(target, at=row.at, seq=row.seq, problem=row.problem or "")


def _shown(seen: TargetReconciled, *, at: str, seq: int | None) -> target_shapes.LookShown:
    return target_shapes.LookShown(
        target=seen.target,
        at=at,
        seq=seq,
        problem=None,
        sessions=seen.sessions,
        sessions_matched=seen.sessions_matched,
        logins=seen.logins,
        findings=tuple(
            target_shapes.FindingShown(kind=one.kind, subject=one.subject, detail=one.detail, since=text(one.since))
            for one in seen.findings
        ),
        accounts=seen.accounts,
        accounts_changed=seen.accounts_changed,
        log_matched=seen.log_matched,
        log_problem=seen.log_problem,
    )


def _unseen(target: str, *, at: str, seq: int, problem: str) -> target_shapes.LookShown:
    return target_shapes.LookShown(
        target=target,
        at=at,
        seq=seq,
        problem=problem,
        sessions=0,
        sessions_matched=0,
        logins=0,
        findings=(),
        accounts=(),
        accounts_changed=(),
        log_matched=0,
        log_problem="",
    )
