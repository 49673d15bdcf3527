"""Spans: the time in which somebody has a role, whatever grants and extensions make it up."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sojourn.domain.window import Window, union
from sojourn.projections import queries
from sojourn.projections.moments import text
from sojourn.projections.queries import PAGE_MAX, GrantRow
from sojourn.web.exchange import Exchange

from . import span_shapes as shapes


async def listing(exchange: Exchange) -> shapes.Spans:
    """GET /spans: of one's own grants; of everybody's for administrators and auditors, unless `mine` is given."""
    caller = await exchange.caller()
    everything = (caller.administrator or caller.auditor) and exchange.query("mine") is None
    with exchange.services.projections.reading() as connection:
        rows = queries.grants(
            connection,
            person=None if everything else caller.id,
            target=exchange.query("target"),
            before=exchange.before(),
            limit=PAGE_MAX,
        )
    more = len(rows) == PAGE_MAX
    return shapes.Spans(spans=_spans(rows), more=more, next=rows[-1].seq if more else None)


def _spans(rows: tuple[GrantRow, ...]) -> tuple[shapes.SpanShown, ...]:
    held: dict[tuple[str, str, str], list[tuple[Window, str]]] = defaultdict(list)
    for row in rows:
        window = _held(row)
        if window is not None:
            held[row.person, row.target, row.role].append((window, row.id))
    return tuple(
        shapes.SpanShown(
            person=person,
            target=target,
            role=role,
            start=text(whole.start),
            end=text(whole.end),
            grants=tuple(sorted(grant for window, grant in parts if whole.start <= window.start < whole.end)),
        )
        for (person, target, role), parts in sorted(held.items())
        for whole in union(window for window, _ in parts)
    )


def _held(row: GrantRow) -> Window | None:
    """From the grant's start to its end, or to when it was ended before; None if it was over before it began."""
    start, end = datetime.fromisoformat(row.start), datetime.fromisoformat(row.end)
    if row.ended_at is not None:
        end = min(end, datetime.fromisoformat(row.ended_at))
    return Window(start=start, end=end) if start < end else None
