"""What the record has of a target, for whoever compares it with the target itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from sojourn.domain.events import TargetReconciled
from sojourn.domain.identifiers import TargetName
from sojourn.domain.logged import RecordedSession
from sojourn.domain.reconciliation import KnownLogin, KnownSession, RemovedLogin

from . import tables as t
from .moments import text
from .projector import Projections

_decoder = msgspec.json.Decoder(TargetReconciled)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookRow:
    """A look at a target that is on record. `seen` is None if the target could not be looked at: `problem` says why."""

    seq: int
    at: str
    problem: str | None
    seen: TargetReconciled | None


@dataclass(frozen=True, slots=True)
class ProjectedRecords:
    """Answers from the read models."""

    projections: Projections

    def known(self, target: TargetName) -> tuple[tuple[KnownSession, ...], tuple[KnownLogin, ...]]:
        """The open sessions that reached the target, and the logins of grants that are not removed."""
        session, grant, reached = t.session.c, t.grant.c, t.reached.c
        opened = (
            select(session.id, grant.credential, reached.process, grant.role)
            .join(t.grant, grant.id == session.grant)
            .join(t.reached, reached.session == session.id)
            .where(session.closed_at.is_(None), session.target == target, reached.process > 0)
        )
        living = select(grant.id, grant.credential, grant.status, grant.role).where(
            grant.target == target, grant.status != "removed"
        )
        with self.projections.reading() as connection:
            sessions = tuple(
                KnownSession(session=row[0], login=row[1], process=row[2], role=row[3])
                for row in connection.execute(opened)
            )
            logins = tuple(
                KnownLogin(grant=row[0], login=row[1], active=row[2] == "active", role=row[3])
                for row in connection.execute(living)
            )
        return sessions, logins

    def recent(self, target: TargetName, since: datetime) -> tuple[RecordedSession, ...]:
        """The sessions that reached the target since then, whether or not they are over."""
        session, grant, reached = t.session.c, t.grant.c, t.reached.c
        opened = (
            select(session.id, grant.credential, reached.process, reached.at)
            .join(t.grant, grant.id == session.grant)
            .join(t.reached, reached.session == session.id)
            .where(session.target == target, reached.process > 0, reached.at >= text(since))
        )
        with self.projections.reading() as connection:
            return tuple(
                RecordedSession(session=row[0], login=row[1], process=row[2], opened=datetime.fromisoformat(row[3]))
                for row in connection.execute(opened)
            )

    def removed(self, target: TargetName, login: str) -> RemovedLogin | None:
        """The grant that had this login on record and is removed, or None."""
        grant = t.grant.c
        statement = select(grant.id, grant.end).where(
            grant.target == target, grant.credential == login, grant.status == "removed"
        )
        with self.projections.reading() as connection:
            row = connection.execute(statement).first()
        return None if row is None else RemovedLogin(grant=row[0], login=login, end=datetime.fromisoformat(row[1]))

    def last(self, target: TargetName) -> TargetReconciled | None:
        """The last reconciliation on record, or None."""
        with self.projections.reading() as connection:
            return next((row.seen for row in looks(connection, target) if row.seen is not None), None)


def looks(
    connection: Connection, target: TargetName, *, before: int | None = None, limit: int = 50
) -> tuple[LookRow, ...]:
    """The looks at a target that are on record, the last first, from just before the place `before` on."""
    row = t.reconciliation.c
    statement = (
        select(row.seq, row.at, row.problem, row.event)
        .where(row.target == target)
        .order_by(row.seq.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(row.seq < before)
    return tuple(
        LookRow(seq=seq, at=at, problem=problem, seen=None if event is None else _decoder.decode(event))
        for seq, at, problem, event in connection.execute(statement)
    )
