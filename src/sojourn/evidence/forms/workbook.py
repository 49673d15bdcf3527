"""The workbook of a pack: its blocks, tests, walk-through, sessions and actions as sheets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sojourn.evidence.files.sheet import Column, Row, Sheet
from sojourn.evidence.files.workbook import open_workbook
from sojourn.evidence.story import Story, bound_to


def workbook(story: Story, *, as_of: datetime) -> bytes:
    """The bytes of the XLSX; the same story gives the same."""
    with tempfile.TemporaryDirectory(prefix="sojourn-pack-") as directory:
        path = Path(directory) / "pack.xlsx"
        with open_workbook(path, title=f"Evidence of {story['subject']}", created=as_of) as book:
            for sheet in sheets(story):
                writer = book.add(sheet)
                for row in sheet.rows:
                    writer.write(row)
        return path.read_bytes()


def sheets(story: Story) -> Iterator[Sheet]:
    """Every sheet, its rows drawn from the story."""
    blocks, walk = ("block", "what", "value", "how", "entry", "at"), ("entry", "last", "entries", "at", "who", "what")
    yield _sheet("Blocks", "Every value about the access.", blocks, _picked(story["blocks"], blocks))
    tests = ("letter", "title", "answer", "reason")
    yield _sheet("Tests", "Every test with its reason.", tests, _picked(story["tests"], tests))
    yield _sheet("Walk-through", "Every hop.", walk, _picked(story["walk"], walk))
    sessions = ("session", "entry", "at", "source", "application", "tls", "database")
    yield _sheet("Sessions", "Every session.", sessions, _picked(story["sessions"], sessions))
    actions = ("session", *_ACTION, "binds")
    yield _sheet("Actions", "Everything that was done.", actions, _actions(story))


_ACTION = (
    "number",
    "entry",
    "at",
    "verb",
    "may_write",
    "objects",
    "text",
    "outcome",
    "outcome_entry",
    "sqlstate",
    "message",
    "rows",
    "bytes_in",
    "bytes_out",
    "duration_us",
)


def _actions(story: Story) -> Iterator[Row]:
    for session in story["sessions"]:
        for action in session["actions"]:
            yield (session["session"], *(_cell(action.get(name)) for name in _ACTION), bound_to(action))


def _picked(rows: list[Story], names: tuple[str, ...]) -> Iterator[Row]:
    for row in rows:
        yield tuple(_cell(row[name]) for name in names)


def _cell(value: object) -> str | int | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | str):
        return value
    assert isinstance(value, list), "a story holds plain values"
    return ", ".join(map(str, value))


def _sheet(name: str, purpose: str, columns: tuple[str, ...], rows: Iterator[Row]) -> Sheet:
    made = tuple(Column(name=column, meaning=column.replace("_", " ")) for column in columns)
    return Sheet(name=name, purpose=purpose, columns=made, rows=rows)
