"""sojourn audit search: entries by what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from sojourn.app.finding import Wanted
from sojourn.app.kept import reading
from sojourn.cli.moments import moment
from sojourn.cli.output import print_line
from sojourn.settings import Layout

from .printing import layout_of, print_entry


def search(
    word: str = "",
    *,
    kind: str = "",
    person: str = "",
    target: str = "",
    from_: Annotated[str, Parameter(name="--from")] = "",
    until: str = "",
    most: Annotated[int, Parameter(validator=Number(gte=1))] = 1000,
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Find entries of the record, oldest first, by a word in them, their kind, whom and what they name, and their time.

    All conditions have to hold. What is sealed (reasons, comments, statements) lies in the ledger as a commitment, so
    no search here finds it. Works whether Sojourn runs or not, for whoever may read the data directory.

    Example: sojourn audit search psql --person alice --from 2026-11-01 --until 2026-12-01

    Parameters
    ----------
    word
        A word in any text of the entry, whatever its case.
    kind
        Only of this kind, or of all whose names begin so (`grant.ended`, `grant`).
    person
        Only entries that name this person.
    target
        Only entries that name this target.
    from_
        Not before this moment: a date, or a date and time (UTC unless it says otherwise).
    until
        Before this moment.
    most
        Stop after so many.
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON, one entry a line.
    """
    wanted = Wanted(
        word=word,
        kind=kind,
        person=person,
        target=target,
        since=moment("--from", from_) if from_ else None,
        until=moment("--until", until) if until else None,
    )
    _print_found(layout_of(data), wanted, most, json)


def _print_found(layout: Layout, wanted: Wanted, most: int, as_json: bool) -> None:
    found = 0
    with reading(layout) as kept:
        size = kept.size()
        for entry in kept.entries(0, size):
            if not wanted.accepts(entry):
                continue
            if found == most:
                if not as_json:
                    print_line(f"There are more: narrow the search, or raise --most {most}.")
                return
            found += 1
            print_entry(entry, as_json)
    if not as_json:
        print_line(f"{found} of {size} entries.")
