"""What a person had and did: the look-back when somebody leaves or loses something."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from sojourn.domain.identifiers import RoleName, TargetName

from . import tables as t

GRANTS_MAX = 500
"""So many grants are named, the newest; `grants_total` counts them all."""

_OPEN = t.grant.c.status.in_(("provisioning", "active"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBackRow:
    """Grants newest first, those that have not ended, and how much was done under them."""

    grants: tuple[str, ...]
    grants_total: int
    grants_open: tuple[str, ...]
    sessions: int
    actions: int
    writes: int
    requests_decided: int


def look_back(connection: Connection, person: str, *, since: str) -> LookBackRow:
    """What `person` had and did since a moment (as the tables hold it)."""
    held = t.grant.c.person == person
    lately = held & (t.grant.c.end >= since)
    names = select(t.grant.c.id).where(lately).order_by(t.grant.c.seq.desc()).limit(GRANTS_MAX)
    sessions = select(t.session.c.id).where(t.session.c.person == person, t.session.c.opened_at >= since)
    done = select(func.count(), func.coalesce(func.sum(t.action.c.may_write), 0)).where(
        t.action.c.session.in_(sessions)
    )
    decided = select(func.count()).where(t.approver.c.person == person, t.approver.c.decided_at >= since)
    actions, writes = connection.execute(done).one()
    return LookBackRow(
        grants=tuple(connection.execute(names).scalars()),
        grants_total=connection.execute(select(func.count()).where(lately)).scalar_one(),
        grants_open=tuple(connection.execute(select(t.grant.c.id).where(held, _OPEN)).scalars()),
        sessions=connection.execute(select(func.count()).select_from(sessions.subquery())).scalar_one(),
        actions=actions,
        writes=writes,
        requests_decided=connection.execute(decided).scalar_one(),
    )


def open_accesses(connection: Connection, person: str) -> tuple[tuple[TargetName, RoleName], ...]:
    """What `person` holds and that has not ended: target and role, one for each access."""
    query = select(t.grant.c.target, t.grant.c.role).where(t.grant.c.person == person, _OPEN)
    return tuple((TargetName(target), RoleName(role)) for target, role in connection.execute(query))
