"""Durations as people write them: a whole number and a unit, such as `90s`, `30m`, `2h` or `1d`."""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = timedelta(days=366)
_SHAPE = re.compile(r"([1-9][0-9]{0,8})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> timedelta:
    """The duration that `text` says.

    Raises ValueError, with a sentence for people, for anything but a whole number of at least one and a unit, and
    for more than 366 days.
    """
    shape = _SHAPE.fullmatch(text.strip())
    if shape is None:
        raise ValueError(f"{text!r} is not a duration; write a whole number and s, m, h or d, such as 30m")
    span = timedelta(seconds=int(shape[1]) * _SECONDS[shape[2]])
    if span > LONGEST:
        raise ValueError(f"{text!r} is longer than {LONGEST.days} days")
    return span


def format_duration(span: timedelta) -> str:
    """`span` in the largest unit that says it exactly; whole seconds only."""
    seconds = int(span.total_seconds())
    for unit in "dhm":
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"
