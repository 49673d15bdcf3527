"""The overview: how things went lately, as pictures with their numbers, and who holds what now."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.web.api import overview as api
from sojourn.web.api.overview_shapes import BucketShown
from sojourn.web.exchange import Exchange

from . import charts, showing
from .charts import Bar
from .frame import Shown, show


async def overview(exchange: Exchange) -> Shown:
    """GET /overview: the last days for those who oversee."""
    found = await api.overview(exchange)
    days = [Bar(label=one.day[5:], value=one.grants, marked=one.break_glass) for one in found.by_day]
    decided, cut = _buckets(found.decided), _buckets(found.cut)
    return show(
        "overview.html",
        found=found,
        decided=decided,
        cut=cut,
        begun=sum(one.value for one in days),
        days_chart=charts.bars(days),
        decided_chart=charts.bars(decided),
        cut_chart=charts.bars(cut),
    )


def _buckets(found: Sequence[BucketShown]) -> list[Bar]:
    bars, before = [], ""
    for one in found:
        label = f"> {before}" if one.up_to_us is None else f"≤ {_span(one.up_to_us)}"
        bars.append(Bar(label=label, value=one.count))
        before = "" if one.up_to_us is None else _span(one.up_to_us)
    return bars


def _span(microseconds: int) -> str:
    return f"{microseconds // 1000} ms" if microseconds < 1_000_000 else showing.span(microseconds / 1e6)
