"""Charts as SVG, made on the server: bars with classes that the page's style colours, and no script.

A chart is for the eye: the page has the same numbers in a table beside it, which is what a screen reader reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 34, 4, 12, 26
LINES = 4
LABELS_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: what it is of, how high, and how much of that stands out."""

    label: str
    value: int
    marked: int = 0


def bars(chart: Sequence[Bar]) -> Markup:
    """A chart of bars side by side."""
    top = _round_up(max((one.value for one in chart), default=0))
    room = (WIDTH - LEFT - RIGHT) / max(1, len(chart))
    every = max(1, -(-len(chart) // LABELS_MAX))
    drawn = [_line(top, step) for step in range(LINES + 1)]
    for place, one in enumerate(chart):
        x = LEFT + place * room
        drawn.append(_bar(x, room, one, top))
        if place % every == 0:
            middle = x + room / 2
            drawn.append(_text(middle, HEIGHT - 8, one.label, "middle"))
    inner = Markup("").join(drawn)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">{}</svg>').format(
        WIDTH, HEIGHT, inner
    )


def _bar(x: float, room: float, one: Bar, top: int) -> Markup:
    width = max(1.0, room * 0.72)
    left = x + (room - width) / 2
    pieces = Markup("")
    floor = HEIGHT - BOTTOM
    for name, value in (("bar", one.value), ("bar marked", one.marked)):
        if value:
            tall = max(1.5, (floor - TOP) * value / top)
            pieces += Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"></rect>').format(
                name, _short(left), _short(floor - tall), _short(width), _short(tall)
            )
    return pieces


def _line(top: int, step: int) -> Markup:
    y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * step / LINES
    rule = Markup('<line class="rule" x1="{}" x2="{}" y1="{}" y2="{}"></line>').format(
        LEFT, WIDTH - RIGHT, _short(y), _short(y)
    )
    return rule + _text(LEFT - 6, y + 4, str(top * step // LINES), "end")


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(_short(x), _short(y), anchor, text)


def _round_up(highest: int) -> int:
    """A number that `LINES` divides, a little above the highest."""
    step, place = 1, 0
    while step * LINES < highest:
        place += 1
        step = (1, 2, 5)[place % 3] * 10 ** (place // 3)
    return step * LINES


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
