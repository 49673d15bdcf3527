"""sojourn report make: a report over a period, for an auditor to take away."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from sojourn.app.ambient import SystemClock, operator
from sojourn.app.reporting import Asked, make_report
from sojourn.cli.audit.printing import layout_of
from sojourn.cli.moments import moment
from sojourn.cli.output import print_json
from sojourn.codes import Exit
from sojourn.domain.window import Window
from sojourn.errors import Code, SojournError
from sojourn.evidence.reports.build import Built
from sojourn.evidence.reports.directory import REPORTS
from sojourn.settings import Layout

from .telling import progress_shown, show


def make(
    report: str,
    *,
    from_: Annotated[str, Parameter(name="--from")],
    until: str,
    as_of: str = "",
    sample: Annotated[int, Parameter(validator=Number(gte=0, lte=10_000))] = 0,
    seed: str = "",
    out: Path | None = None,
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Make a report from the record where it lies: a workbook, CSV and JSON of the same rows, and a manifest, in a ZIP.

    Times are half-open: what happened at --from is in it, what happened at --until is not. Works whether Sojourn runs
    or not, for whoever may read the data directory; texts that are sealed (reasons, statements) are not in it. Exit
    code 1 if the record is not whole, which the report says at its top.

    Example: sojourn report make access-events --from 2026-07-01 --until 2026-10-01 --sample 25 --seed 4711

    Parameters
    ----------
    report
        The name of the report (see `sojourn report list`).
    from_
        Start of the period: a date, or a date and time (UTC unless it says otherwise).
    until
        End of the period, which is not in it.
    as_of
        Leave out what was recorded after this moment (default: everything that is signed).
    sample
        Draw so many rows into a sheet of their own.
    seed
        What the sample is drawn by; the same seed draws the same rows.
    out
        The file to write (default: REPORT.zip).
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    if report not in REPORTS:
        raise SojournError(Code.INPUT_INVALID, problem=f"There is no report {report}", expected=", ".join(REPORTS))
    latest, path = moment("--as-of", as_of) if as_of else None, out or Path(f"{report}.zip")
    asked = Asked(
        report=report,
        period=period_of(from_, until),
        run_by=operator(),
        run_at=SystemClock().now(),
        as_of=latest,
        sample=sample,
        seed=seed,
    )
    built = _made(layout_of(data), asked, path)
    if json:
        told = {"manifest_sha256": built.manifest_sha256, "problem": built.problem}
        print_json({"report": report, "path": str(path), **told, "sheets": msgspec.to_builtins(built.sheets)})
    else:
        show({one.name: one.rows for one in built.sheets}, path, built.manifest_sha256, built.problem)
    return Exit.FAILED if built.problem else Exit.DONE


def period_of(since: str, until: str) -> Window:
    """The period from one moment, as it is typed, up to another. Raises SojournError `input.invalid`."""
    start, end = moment("--from", since), moment("--until", until)
    if end <= start:
        problem = f"--until {until} is not after --from {since}"
        raise SojournError(Code.INPUT_INVALID, problem=problem, expected="a period that ends after it begins")
    return Window(start=start.astimezone(UTC), end=end.astimezone(UTC))


def _made(layout: Layout, asked: Asked, path: Path) -> Built:
    """The report at `path`, which is there whole or not at all."""
    try:
        with (
            tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".report-") as directory,
            progress_shown() as progress,
        ):
            built = make_report(layout, asked, Path(directory), progress)
            built.path.chmod(0o600)
            shutil.move(built.path, path)
            return built
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror or error}"
        raise SojournError(Code.INPUT_INVALID, problem=problem, expected="--out with a file of yours") from error
