"""How things went lately, for those who oversee."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from sojourn.errors import Code, SojournError
from sojourn.projections import trends
from sojourn.projections.moments import text
from sojourn.web.exchange import Exchange

from . import overview_shapes as shapes

DAYS = 30
DECIDED_SECONDS = (60, 300, 900, 3600, 14400, 86400)
CUT_MILLISECONDS = (10, 50, 100, 250, 1000)
HELD_MAX = 100
"""So many accesses that are held now are told; all are counted."""


async def overview(exchange: Exchange) -> shapes.OverviewShown:
    """GET /overview: the last 30 days in numbers, and who holds what now."""
    caller = await exchange.caller()
    if not (caller.administrator or caller.auditor):
        raise SojournError(
            Code.PERMISSION_DENIED, person=caller.id, action="see the overview", who="an administrator or an auditor"
        )
    now = exchange.services.office.clock.now()
    since = text((now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0))
    decided_us = tuple(one * 1_000_000.0 for one in DECIDED_SECONDS)
    cut_us = tuple(one * 1000.0 for one in CUT_MILLISECONDS)
    with exchange.services.projections.reading() as connection:
        return shapes.OverviewShown(
            days=DAYS,
            by_day=_days(connection, since, now),
            decided=_buckets(trends.times_to_decide(connection, since, decided_us), decided_us),
            cut=_buckets(trends.cuts(connection, since, cut_us), cut_us),
            slowest_cut_us=trends.slowest_cut(connection, since),
            break_glass=_budgets(exchange, connection, now),
            holding=trends.holding(connection),
            held=tuple(
                shapes.HeldShown(
                    grant=one.grant,
                    person=one.person,
                    target=one.target,
                    role=one.role,
                    end=one.end,
                    break_glass=bool(one.break_glass),
                )
                for one in trends.held(connection, HELD_MAX)
            ),
        )


def _days(connection: Connection, since: str, now: datetime) -> tuple[shapes.DayShown, ...]:
    """Every day, also those on which nothing began."""
    found = {one.day: one for one in trends.grants_by_day(connection, since)}
    days = [text(now - timedelta(days=back))[: trends.DAY_LETTERS] for back in reversed(range(DAYS))]
    return tuple(
        shapes.DayShown(
            day=day,
            grants=found[day].grants if day in found else 0,
            break_glass=found[day].break_glass if day in found else 0,
        )
        for day in days
    )


def _buckets(counts: tuple[int, ...], bounds: tuple[float, ...]) -> tuple[shapes.BucketShown, ...]:
    limits: tuple[int | None, ...] = (*map(round, bounds), None)
    return tuple(shapes.BucketShown(up_to_us=limit, count=count) for limit, count in zip(limits, counts, strict=True))


def _budgets(exchange: Exchange, connection: Connection, now: datetime) -> tuple[shapes.BudgetShown, ...]:
    """For each rule that allows break-glass, whoever has used it within its time."""
    found = []
    for rule in exchange.services.office.in_force().catalogue.rules:
        glass = rule.break_glass
        if glass is None:
            continue
        for person, used in trends.glass_uses(connection, text(now - glass.per)):
            found.append(
                shapes.BudgetShown(
                    rule=rule.name,
                    person=person,
                    used=used,
                    allowed=glass.uses,
                    per_seconds=round(glass.per.total_seconds()),
                )
            )
    return tuple(found)
