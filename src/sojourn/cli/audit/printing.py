"""How the commands of this group show entries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sojourn.app.ambient import environment
from sojourn.app.installation import lay_out
from sojourn.cli.output import print_fields, print_json, print_line
from sojourn.ledger.entry import Entry, format_time
from sojourn.settings import Layout

HASH_SHOWN = 12


def layout_of(data: Path | None) -> Layout:
    """The installation that is meant: `--data`, or else SOJOURN_DATA, or else the usual place."""
    return lay_out(data or environment().data_directory)


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry as it lies in the ledger."""
    return {
        "seq": entry.seq,
        "at": format_time(entry.at),
        "stream": entry.stream,
        "version": entry.version,
        "kind": entry.kind,
        "body": json.loads(entry.body),
    }


def print_entry(entry: Entry, as_json: bool) -> None:
    """One entry on one line."""
    if as_json:
        print_json(entry_json(entry))
        return
    told = " ".join(f"{name}={_value(value)}" for name, value in json.loads(entry.body).items())
    print_line(f"{entry.seq:>8}  {format_time(entry.at)}  {entry.kind}  {entry.stream}  {told}")


def print_whole_entry(entry: Entry, as_json: bool) -> None:
    """One entry, a line for each of its fields."""
    if as_json:
        print_json(entry_json(entry))
        return
    whole = entry_json(entry)
    body = whole.pop("body")
    print_fields({**whole, **{f"  {name}": _value(value) for name, value in body.items()}})


def _value(value: object) -> str:
    """A value of a body; a sealed one is its commitment, for the ledger holds nothing else of it."""
    match value:
        case {"commitment": str(commitment), "key": str(key), **rest} if not rest:
            return f"sealed:{commitment[:HASH_SHOWN]} (key {key})"
        case str():
            return value
    return json.dumps(value, ensure_ascii=False)
