"""sojourn report fetch: have a report made by the installation, and take it away."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from sojourn.cli.client import call, place, response
from sojourn.cli.common import Common
from sojourn.cli.moments import moment
from sojourn.cli.output import print_json
from sojourn.codes import Exit
from sojourn.errors import Code, SojournError
from sojourn.vault.files import write_private

from .telling import progress_shown, show

LOOK_SECONDS = 0.3


def fetch(
    report: str,
    *,
    from_: Annotated[str, Parameter(name="--from")],
    until: str,
    as_of: str = "",
    sample: Annotated[int, Parameter(validator=Number(gte=0, lte=10_000))] = 0,
    seed: str = "",
    out: Path | None = None,
    common: Common | None = None,
) -> int:
    """Have a report made and take it away; for auditors. Who was given it is on record.

    The same report as `sojourn report make` writes on the machine itself. Exit code 1 if the record is not whole, which
    the report says at its top.

    Example: sojourn report fetch access-events --from 2026-07-01 --until 2026-10-01 --sample 25 --seed 4711

    Parameters
    ----------
    report
        The name of the report (see `sojourn report list`).
    from_
        Start of the period: a date, or a date and time (UTC unless it says otherwise).
    until
        End of the period, which is not in it.
    as_of
        Leave out what was recorded after this moment (default: nothing).
    sample
        Draw so many rows into a sheet of their own.
    seed
        What the sample is drawn by; the same seed draws the same rows.
    out
        The file to write (default: REPORT.zip).
    """
    common = common or Common()
    body = {
        "report": report,
        "start": moment("--from", from_).isoformat(),
        "end": moment("--until", until).isoformat(),
        "as_of": moment("--as-of", as_of).isoformat() if as_of else "",
        "sample": sample,
        "seed": seed,
    }
    run = _done(common, call(common, "POST", "/reports", body))
    if run["state"] != "done":
        raise SojournError(Code.INPUT_INVALID, problem=run["problem"].rstrip("."), expected="a report that can be made")
    content = response(common, "GET", place("report-runs", run["run"], "file")).content
    path = out or Path(f"{report}.zip")
    try:
        write_private(path, content)
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}"
        raise SojournError(Code.INPUT_INVALID, problem=problem, expected="--out with a file of yours") from error
    if common.json:
        print_json({**run, "path": str(path), "bytes": len(content)})
    else:
        show(run["rows"], path, run["manifest_sha256"], run["problem"])
    return Exit.FAILED if run["problem"] else Exit.DONE


def _done(common: Common, run: dict[str, Any]) -> dict[str, Any]:
    """The run when it is over."""
    with progress_shown() as progress:
        while run["state"] not in ("done", "failed"):
            time.sleep(LOOK_SECONDS)
            run = call(common, "GET", place("report-runs", run["run"]))
            progress(run["doing"], run["done"], run["of"])
    return run
