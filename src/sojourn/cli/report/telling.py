"""What the commands of this group show: how far a report is, and what was written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from sojourn.cli.output import print_line

Progressed = Callable[[str, int, int | None], None]
"""Is told what is being done, how much of it is done, and of how much (None if that is not known)."""


@contextmanager
def progress_shown() -> Iterator[Progressed]:
    """A progress bar on standard error, for whoever sits at a terminal; nothing for a script."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}"))
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Waiting", total=None)
        yield lambda what, done, of: progress.update(task, description=what or "Waiting", completed=done, total=of)


def show(rows: Mapping[str, int], path: Path, manifest_sha256: str, problem: str) -> None:
    """What was written; first of all that it is not complete, if so."""
    if problem:
        print_line(f"THIS REPORT IS NOT COMPLETE: {problem}.")
        print_line()
    for sheet, count in rows.items():
        print_line(f"{count:>9}  {sheet}")
    print_line()
    print_line(f"Wrote {path}; SHA-256 of its manifest {manifest_sha256}")
