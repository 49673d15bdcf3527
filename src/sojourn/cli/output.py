"""What the command line prints: people read tables and lines, scripts read JSON. Nothing hostile reaches a terminal.

Moments are in UTC in JSON; in tables and lines they are in the zone of this machine, with its offset.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sojourn.errors import Refusal
from sojourn.evidence.escape import visible
from sojourn.meanings import CATALOGUE

escaped = visible
"""Text of other people, made safe for a terminal."""


_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z", re.ASCII)


def local(text: str, zone: ZoneInfo | None = None) -> str:
    """A moment in UTC as a clock in `zone` (None: here) shows it, with its offset; other text as it is."""
    if _MOMENT.fullmatch(text) is None:
        return text
    try:
        here = datetime.fromisoformat(text).astimezone(zone)
    except (ValueError, OverflowError):
        return text
    return here.isoformat(timespec="microseconds" if "." in text else "seconds") if here.utcoffset() else text


def print_json(value: object) -> None:
    """One JSON value on one line, in ASCII."""
    # JSON escapes every control character but DEL, which can only stand inside a text.
    sys.stdout.write(json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n")


def print_line(text: str = "") -> None:
    """One line; control characters in it are shown as escapes."""
    sys.stdout.write(escaped(text) + "\n")


def print_lines(text: str) -> None:
    """Text of several lines, such as a file; other control characters in it are shown as escapes."""
    sys.stdout.write(escaped(text, keep_lines=True).rstrip("\n") + "\n")


def print_fields(fields: Mapping[str, Any]) -> None:
    """A name and its value in each line; what is empty is left out."""
    shown = {name: value for name, value in fields.items() if value not in (None, "", [], ())}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else local(str(value))
        print_line(f"{name.ljust(width)}  {text}")


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str) -> None:
    """A table with a heading, or `empty` when there are no rows."""
    if not rows:
        print_line(empty)
        return
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[place]) for line in [list(columns), *cells]) for place in range(len(columns))]
    for line in [list(columns), *cells]:
        print_line("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def print_more(answered: Mapping[str, Any]) -> None:
    """Say how a list that begins with the newest goes on, if it does."""
    if answered["more"]:
        print_line(f"There are older ones: --before {answered['next']}")


def print_later(answered: Mapping[str, Any]) -> None:
    """Say how a list that begins with the oldest goes on, if it does."""
    if answered["more"]:
        print_line(f"There are newer ones: --after {answered['next']}")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return escaped(", ".join(map(str, value)))
    return escaped(local(str(value)))


def print_error(refusal: Refusal, as_json: bool) -> int:
    """An error as a code, a sentence and a next step on standard error; gives the exit code.

    With JSON the same is on standard output too, where scripts look for the answer.
    """
    if as_json:
        problem = {
            "code": str(refusal.code),
            "message": refusal.sentence,
            "next_step": refusal.next_step,
            "details": dict(refusal.details),
        }
        print_json({"error": problem})
    sys.stderr.write(f"{refusal.code}: {escaped(refusal.sentence)}\n{escaped(refusal.next_step)}\n")
    return CATALOGUE[refusal.code].exit_code


def seconds_text(seconds: int) -> str:
    """A number of seconds as people write durations."""
    from datetime import timedelta

    from sojourn.domain.duration import format_duration

    return format_duration(timedelta(seconds=seconds))
