"""Makes one report in a process of its own: what is wanted comes as JSON on standard input, progress goes out by lines.

Folding a year takes a minute of pure work, and control has others to serve meanwhile.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import msgspec

from sojourn.errors import SojournError

from .installation import lay_out
from .reporting import Asked, make_report


class Wanted(msgspec.Struct, kw_only=True):
    """A report of the installation at `root`, to be written into the empty folder `directory`."""

    root: str
    directory: str
    asked: Asked


class Progressed(msgspec.Struct, kw_only=True, tag="progress"):
    """What is being done, how much of it is done, and of how much (None if that is not known)."""

    doing: str
    done: int
    of: int | None


class Finished(msgspec.Struct, kw_only=True, tag="finished"):
    """The report is there. `rows` tells how many each sheet has; `drawn` is its sample, of `population` events."""

    path: str
    manifest_sha256: str
    problem: str
    rows: dict[str, int]
    as_of: datetime
    population: int
    drawn: tuple[str, ...]


class Failed(msgspec.Struct, kw_only=True, tag="failed"):
    """There is no report."""

    code: str
    details: dict[str, str]


Word = Progressed | Finished | Failed


def main() -> None:
    """Read what is wanted, and make it."""
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted)
    layout = lay_out(Path(wanted.root))

    def progress(doing: str, done: int, of: int | None) -> None:
        _say(Progressed(doing=doing, done=done, of=of))

    try:
        built = make_report(layout, wanted.asked, Path(wanted.directory), progress)
    except SojournError as error:
        _say(Failed(code=error.code, details={name: str(value) for name, value in error.refusal.details.items()}))
        return
    rows = {one.name: one.rows for one in built.sheets}
    _say(
        Finished(
            path=str(built.path),
            manifest_sha256=built.manifest_sha256,
            problem=built.problem,
            rows=rows,
            as_of=built.as_of,
            population=built.population,
            drawn=built.drawn,
        )
    )


def _say(word: Word) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
