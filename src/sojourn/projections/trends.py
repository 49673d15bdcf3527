"""How things went lately, in numbers: accesses by day, time to decide, cuts, break-glass, and who holds what now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, case, func, select
from sqlalchemy.sql.elements import ColumnElement

from . import tables as t

DAY_LETTERS = 10
"""Of a moment, as the tables hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """Accesses that began on a day (`2026-03-02`), and how many of them by break-glass."""

    day: str
    grants: int
    break_glass: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """Who holds an access now."""

    grant: str
    person: str
    target: str
    role: str
    end: str
    break_glass: int


def grants_by_day(connection: Connection, since: str) -> tuple[DayRow, ...]:
    """Accesses that began since the day of a moment, by day in UTC; days without any are left out."""
    day = t.grant.c.day
    query = select(day, func.count(), func.sum(t.grant.c.break_glass)).where(day >= since[:DAY_LETTERS])
    rows = connection.execute(query.group_by(day).order_by(day))
    return tuple(DayRow(day=name, grants=grants, break_glass=glass) for name, grants, glass in rows)


def times_to_decide(connection: Connection, since: str, bounds: tuple[float, ...]) -> tuple[int, ...]:
    """Requests since a moment that people decided about, counted by how many microseconds that took.

    One number for each bound, of those that took at most so long and longer than the bound before; the last number
    counts the others.
    """
    request = t.request.c
    bucket = _bucket(request.took_us, bounds)
    query = select(bucket, func.count()).where(
        request.submitted_at >= since, request.took_us.is_not(None), request.approvals > 0
    )
    return _counted(connection.execute(query.group_by(bucket)).all(), len(bounds) + 1)


def cuts(connection: Connection, since: str, bounds: tuple[float, ...]) -> tuple[int, ...]:
    """Sessions that were cut since a moment because their access ended, counted by microseconds from its end."""
    session = t.session.c
    bucket = _bucket(session.cut_lag_us, bounds)
    query = select(bucket, func.count()).where(session.closed_at >= since, t.CUT)
    return _counted(connection.execute(query.group_by(bucket)).all(), len(bounds) + 1)


def slowest_cut(connection: Connection, since: str) -> int | None:
    """Microseconds of the slowest cut since a moment."""
    query = select(func.max(t.session.c.cut_lag_us)).where(t.session.c.closed_at >= since, t.CUT)
    slowest: int | None = connection.execute(query).scalar_one()
    return slowest


def glass_uses(connection: Connection, since: str) -> tuple[tuple[str, int], ...]:
    """Who took an access without a decision since a moment, and how often."""
    query = select(t.glass.c.person, func.count()).where(t.glass.c.taken_at > since).group_by(t.glass.c.person)
    return tuple((person, uses) for person, uses in connection.execute(query.order_by(t.glass.c.person)))


def held(connection: Connection, limit: int) -> tuple[HeldRow, ...]:
    """Who holds what now, by target and person; the first `limit`."""
    grant = t.grant.c
    columns = (grant.id.label("grant"), grant.person, grant.target, grant.role, grant.end, grant.break_glass)
    query = select(*columns).where(grant.status == "active").order_by(grant.target, grant.person, grant.end)
    return tuple(HeldRow(**row._mapping) for row in connection.execute(query.limit(limit)))


def holding(connection: Connection) -> int:
    """How many accesses are held now."""
    query = select(func.count()).where(t.grant.c.status == "active")
    count: int = connection.execute(query).scalar_one()
    return count


def _bucket(value: ColumnElement[float], bounds: tuple[float, ...]) -> ColumnElement[int]:
    return case(*((value <= bound, place) for place, bound in enumerate(bounds)), else_=len(bounds))


def _counted(rows: Iterable[Row[int, int]], buckets: int) -> tuple[int, ...]:
    found = {row[0]: row[1] for row in rows}
    return tuple(found.get(place, 0) for place in range(buckets))
