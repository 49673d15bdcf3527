"""Findings at targets, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from sojourn.domain.finding import Unmatched
from sojourn.domain.identifiers import FindingId, PersonId, TargetName

from . import tables as t

_COLUMNS = tuple(one for one in t.finding.columns if one.name != "disposed")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """A finding: `place` is where it stands in lists, `seq` and `last_seq` the first and last entry that tell of it.

    The last six are null until somebody says what becomes of it; of several who do, it is the last.
    """

    id: str
    target: str
    kind: str
    subject: str
    detail: str
    since: str
    place: int
    seq: int
    last_seq: int
    last_at: str
    disposition: str | None
    owner: str | None
    ticket: str | None
    remark: str | None
    disposed_by: str | None
    disposed_at: str | None


def findings(
    connection: Connection, *, target: str | None = None, undisposed: bool, before: int | None, limit: int
) -> tuple[FindingRow, ...]:
    """Findings, the newest first: of one target, or those of which nobody has said what becomes of them."""
    column = t.finding.c
    query = select(*_COLUMNS).order_by(column.place.desc()).limit(limit)
    if target is not None:
        query = query.where(column.target == target)
    if undisposed:
        query = query.where(column.disposed == 0)
    if before is not None:
        query = query.where(column.place < before)
    return tuple(FindingRow(**row._mapping) for row in connection.execute(query))


def unmatched(connection: Connection, finding: FindingId) -> Unmatched | None:
    """A finding with the people of the access that it is about: by the session it names, or else by its login."""
    column, grant = t.finding.c, t.grant.c
    row = connection.execute(select(column.target, column.subject).where(column.id == finding)).first()
    if row is None:
        return None
    of_session = select(t.session.c.grant).where(t.session.c.id == row.subject)
    about = select(grant.person, grant.request).where(
        grant.target == row.target, (grant.credential == row.subject) | grant.id.in_(of_session)
    )
    involved: set[PersonId] = set()
    for person, request in connection.execute(about).all():
        decided = select(t.approver.c.acted).where(t.approver.c.request == request, t.approver.c.acted.is_not(None))
        involved |= {PersonId(person), *(PersonId(one) for one in connection.execute(decided).scalars())}
    return Unmatched(finding=finding, target=TargetName(row.target), involved=frozenset(involved))
