"""The record: sessions, actions, refused attempts, the ledger's head, health."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from sojourn.domain.people import Person
from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.projections import assured, queries, timeline
from sojourn.projections.queries import AttemptRow, SessionRow
from sojourn.projections.timeline import ActionRow, Wanted
from sojourn.web.exchange import PAGE, Exchange

from . import shapes


async def sessions(exchange: Exchange) -> shapes.Sessions:
    """GET /sessions: one's own, and those of a grant that one reviews; all for administrators and auditors."""
    caller = await exchange.caller()
    everything = (caller.administrator or caller.auditor) and exchange.query("mine") is None
    grant = exchange.query("grant")
    with exchange.services.projections.reading() as connection:
        rows = queries.sessions(
            connection,
            grant=grant,
            person=None if everything or _watches(connection, caller, grant) else caller.id,
            open_only=exchange.query("open") is not None,
            before=exchange.before(),
            limit=PAGE + 1,
        )
    return shapes.Sessions(sessions=tuple(map(show_session, rows[:PAGE])), more=len(rows) > PAGE, next=_next(rows))


async def session(exchange: Exchange) -> shapes.SessionShown:
    """GET /sessions/{name}: one session."""
    return show_session(visible_session(exchange, await exchange.caller()))


async def actions(exchange: Exchange) -> shapes.Actions:
    """GET /sessions/{name}/actions?after=N: its actions in order, without their text; all, or those of a
    `verb`, with an `outcome` (`running` for none yet), that may write (`writes=yes` or `no`), or that touched what
    `search` is part of.
    """
    return actions_of(exchange, visible_session(exchange, await exchange.caller()))


def actions_of(exchange: Exchange, row: SessionRow) -> shapes.Actions:
    """The actions that are asked for, of a session that the caller may see."""
    after, wanted = exchange.after(), _wanted(exchange)
    with exchange.services.projections.reading() as connection:
        rows = timeline.actions(connection, row.id, after=after, limit=PAGE + 1, wanted=wanted)
    page, more = tuple(map(action_shown, rows[:PAGE])), len(rows) > PAGE
    return shapes.Actions(session=row.id, actions=page, more=more, next=page[-1].number if more else None)


def _wanted(exchange: Exchange) -> Wanted:
    writes = exchange.query("writes") or None
    if writes not in (None, "yes", "no"):
        raise SojournError(Code.INPUT_INVALID, problem="`writes` is neither", expected="yes or no")
    return Wanted(
        verb=exchange.query("verb") or None,
        may_write=None if writes is None else writes == "yes",
        outcome=exchange.query("outcome") or None,
        search=exchange.query("search") or None,
    )


def visible_session(exchange: Exchange, caller: Person) -> SessionRow:
    """The session that is named, for those who may see it. Raises SojournError `session.unknown`."""
    with exchange.services.projections.reading() as connection:
        row = queries.session(connection, exchange.name)
        watches = row is not None and _watches(connection, caller, row.grant)
    if row is None or not (row.person == caller.id or watches or caller.administrator or caller.auditor):
        raise SojournError(Code.SESSION_UNKNOWN, session=exchange.name[:100])
    return row


def _watches(connection: Connection, caller: Person, grant: str | None) -> bool:
    """Whether the caller was told of this access, or is to review it."""
    row = None if grant is None else queries.grant(connection, grant)
    return row is not None and assured.watches(connection, caller.id, row.request)


async def attempts(exchange: Exchange) -> shapes.Attempts:
    """GET /attempts: what was refused; for administrators and auditors."""
    caller = await exchange.caller()
    if not (caller.administrator or caller.auditor):
        raise SojournError(
            Code.PERMISSION_DENIED,
            person=caller.id,
            action="see refused attempts",
            who="an administrator or an auditor",
        )
    subject = exchange.query("subject")
    with exchange.services.projections.reading() as connection:
        rows = queries.attempts(
            connection,
            subjects=() if subject is None else (subject,),
            actor=exchange.query("actor"),
            before=exchange.before(),
            limit=PAGE + 1,
        )
    return shapes.Attempts(attempts=tuple(map(_attempt, rows[:PAGE])), more=len(rows) > PAGE, next=_next(rows))


def _next(rows: Sequence[SessionRow | AttemptRow]) -> int | None:
    """Where the next page begins, if there is one."""
    return rows[PAGE - 1].seq if len(rows) > PAGE else None


async def ledger(exchange: Exchange) -> shapes.LedgerShown:
    """GET /ledger: the signed head."""
    await exchange.caller()
    note = await exchange.services.sign()
    head = checkpoints.parse(note.partition("\n\n")[0] + "\n")
    return shapes.LedgerShown(
        origin=head.origin,
        size=head.size,
        root=base64.b64encode(head.root).decode(),
        checkpoint=note,
        verifier_key=exchange.services.verifier_key,
        cosigned=exchange.services.cosigned(),
        copies=tuple(exchange.services.copies()),
    )


async def health(exchange: Exchange) -> shapes.Health:
    """GET /health: whether the record can be read; open to everybody, and says no more than that."""
    try:
        size = await exchange.services.size()
    except SojournError:
        return shapes.Health(ok=False, version=exchange.services.version, size=None)
    return shapes.Health(ok=True, version=exchange.services.version, size=size)


def show_session(row: SessionRow) -> shapes.SessionShown:
    """A session as the API shows it."""
    return shapes.SessionShown(
        session=row.id,
        grant=row.grant,
        person=row.person,
        target=row.target,
        role=row.role,
        source=row.source,
        application=row.application,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        cause=row.cause,
        actions=row.actions,
        cut_lag_us=row.cut_lag_us,
    )


def action_shown(row: ActionRow) -> shapes.ActionShown:
    """An action as people see it, without what it said."""
    return shapes.ActionShown(
        number=row.number,
        at=row.intended_at,
        verb=row.verb,
        may_write=bool(row.may_write),
        objects=_split(row.objects),
        outcome=row.outcome,
        tags=_split(row.tags),
        sqlstate=row.sqlstate or None,
        rows=row.rows,
        bytes_out=row.bytes_out,
        duration_us=row.duration_us,
    )


def _split(joined: str | None) -> tuple[str, ...]:
    return tuple(joined.split(", ")) if joined else ()


def _attempt(row: AttemptRow) -> shapes.AttemptShown:
    return shapes.AttemptShown(
        seq=row.seq,
        at=row.at,
        verb=row.verb,
        actor=row.actor,
        code=row.code,
        subject=row.subject,
        source=row.source,
        details=msgspec.json.decode(row.details, type=dict[str, str]),
    )
