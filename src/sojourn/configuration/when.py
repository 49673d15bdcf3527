"""The conditions of a rule: calendar windows, on-call, incident, length."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from functools import cache

from sojourn.domain.policy import CalendarWindow, When
from sojourn.domain.policy.calendar import DAYS

from .names import some
from .nodes import Node

SPAN = re.compile(r"([a-z]{3})-([a-z]{3})")
DAYS_EXPECTED = "days such as mon-fri, or a list of " + ", ".join(DAYS)


def read_when(node: Node) -> When:
    """The conditions; one at least. Raises SojournError `configuration.invalid`."""
    fields = node.fields("hours", "on_call", "incident", "longer_than")
    if not fields:
        node.fail("The mapping is empty", "hours, on_call, incident or longer_than")
    for key in ("on_call", "incident"):
        if key in fields:
            fields[key].choice({"required": True})
    return When(
        windows=some(fields["hours"], "a list of hours", _window) if "hours" in fields else (),
        on_call="on_call" in fields,
        incident="incident" in fields,
        longer_than=fields["longer_than"].duration() if "longer_than" in fields else None,
    )


def _window(node: Node) -> CalendarWindow:
    fields = node.fields("days", "from", "to", "zone", required=("days", "from", "to", "zone"))
    start, end = fields["from"].clock(), fields["to"].clock()
    if start == end or start == 24 * 60:
        fields["to"].fail("These hours never begin or never end", "from 00:00 to 24:00 for the whole day")
    return CalendarWindow(zone=read_zone(fields["zone"]), days=_days(fields["days"]), start=start, end=end)


def _days(node: Node) -> tuple[int, ...]:
    if node.is_list:
        options = {name: number for number, name in enumerate(DAYS)}
        return tuple(sorted(some(node, DAYS_EXPECTED, lambda one: one.choice(options))))
    text = node.text(DAYS_EXPECTED)
    span = SPAN.fullmatch(text)
    if text in DAYS:
        return (DAYS.index(text),)
    if span is None or span[1] not in DAYS or span[2] not in DAYS:
        node.fail(f"{text!a} names no days", DAYS_EXPECTED)
    first, last = DAYS.index(span[1]), DAYS.index(span[2])
    return tuple(sorted((first + step) % 7 for step in range((last - first) % 7 + 1)))


def read_zone(node: Node) -> str:
    """The name of a time zone. Raises SojournError `configuration.invalid` for what is none."""
    name = node.text("a time zone such as Europe/Berlin")
    zones = _zones()
    if name not in zones:
        near = difflib.get_close_matches(name, zones, 1)
        node.fail(f"There is no time zone {name!a}", f"{near[0]} (did you mean that?)" if near else "Europe/Berlin")
    return name


@cache
def _zones() -> frozenset[str]:
    """Every name there is; they are looked for on disk, once."""
    return frozenset(zoneinfo.available_timezones())
