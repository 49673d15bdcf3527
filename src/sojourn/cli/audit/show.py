"""sojourn audit show: one entry, or all of a stream."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.kept import reading
from sojourn.cli.output import print_line
from sojourn.errors import Code, SojournError

from .printing import layout_of, print_entry, print_whole_entry


def show(name: str, *, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Show one entry by its number, or everything in a stream, as it lies in the ledger.

    Works whether Sojourn runs or not, for whoever may read the data directory. What is sealed shows as a commitment.

    Example: sojourn audit show 17

    Example: sojourn audit show grant/g-7k3m2q9x4h

    Parameters
    ----------
    name
        The number of an entry (the first is 0), or the name of a stream.
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON, one entry a line.
    """
    with reading(layout_of(data)) as kept:
        if name.isascii() and name.isdigit() and len(name) < 16:
            seq = int(name)
            found = list(kept.entries(seq, seq + 1))
            if found:
                print_whole_entry(found[0], json)
                return
            size = kept.size()
            raise SojournError(
                Code.INPUT_INVALID,
                problem=f"There is no entry {seq}",
                expected=f"a number below {size}" if size else "a ledger with entries",
            )
        shown = 0
        for entry in kept.stream(name):
            print_entry(entry, json)
            shown += 1
        if not shown:
            raise SojournError(
                Code.INPUT_INVALID,
                problem=f"There is no stream {name}",
                expected="the number of an entry, or a stream like grant/g-7k3m2q9x4h",
            )
        if not json:
            print_line(f"{shown} entries in {name}.")
