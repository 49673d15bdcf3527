"""sojourn audit tail: the newest entries of the record, and those to come."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from sojourn.app.finding import Wanted
from sojourn.app.kept import PAGE, reading
from sojourn.ledger.entry import Entry
from sojourn.settings import Layout

from .printing import layout_of, print_entry

LOOK_SECONDS = 0.25


def tail(
    *,
    lines: Annotated[int, Parameter(validator=Number(gte=0))] = 10,
    follow: Annotated[bool, Parameter(negative="")] = False,
    stream: str = "",
    kind: str = "",
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Show the newest entries of the record, read from the ledger itself, and with --follow every one that comes.

    Works whether Sojourn runs or not, for whoever may read the data directory. What is sealed shows as a commitment.

    Example: sojourn audit tail --follow --kind grant

    Parameters
    ----------
    lines
        So many entries.
    follow
        Go on with what comes, until interrupted.
    stream
        Only of this stream, or of all whose names begin so (`grant/g-7k3m2q9x4h`, `session`).
    kind
        Only of this kind, or of all whose names begin so (`grant.ended`, `grant`).
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON, one entry a line.
    """
    layout, wanted = layout_of(data), Wanted(stream=stream, kind=kind)
    found, following = _newest(layout, wanted, lines)
    for entry in found:
        print_entry(entry, json)
    while follow:
        sys.stdout.flush()
        time.sleep(LOOK_SECONDS)
        with reading(layout) as kept:
            size = kept.size()
            for entry in kept.entries(following, size):
                if wanted.accepts(entry):
                    print_entry(entry, json)
            following = max(following, size)


def _newest(layout: Layout, wanted: Wanted, lines: int) -> tuple[list[Entry], int]:
    """The newest entries that are wanted, oldest first, and the size of the ledger."""
    pages: list[Entry] = []
    with reading(layout) as kept:
        size = kept.size()
        end = size
        while end > 0 and len(pages) < lines:
            start = max(0, end - PAGE)
            pages = [entry for entry in kept.entries(start, end) if wanted.accepts(entry)] + pages
            end = start
    return pages[len(pages) - lines :] if len(pages) > lines else pages, size
