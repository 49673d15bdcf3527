"""sojourn controls list: every control, with what is on record of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.audit.printing import layout_of
from sojourn.cli.output import print_json, print_table

from .telling import as_json, read_controls


def list(  # noqa: A001 - the command's name
    *,
    from_: Annotated[str, Parameter(name="--from")] = "",
    until: str = "",
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """List every control, with its exceptions of a period and the last negative test of it.

    Works whether Sojourn runs or not, for whoever may read the data directory. `sojourn report make controls` writes
    the same for an auditor to take away.

    Example: sojourn controls list --from 2026-07-01 --until 2026-10-01

    Parameters
    ----------
    from_
        Start of the period (default: 92 days before its end).
    until
        End of the period, which is not in it (default: now).
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    controls = read_controls(layout_of(data), from_, until)
    if json:
        print_json({"controls": [as_json(one) for one in controls]})
        return
    rows = [
        {
            "control": one.control.name,
            "exceptions": str(one.exceptions),
            "tested": _tested([tried.probe.passed for tried in one.tried], one.control.probes),
            "title": one.control.title,
        }
        for one in controls
    ]
    print_table(rows, ["control", "exceptions", "tested", "title"], empty="")


def _tested(passed: Sequence[bool], probes: Sequence[str]) -> str:
    if not probes:
        return "-"
    if not passed:
        return "never"
    return "failed" if not all(passed) else f"passed {len(passed)} of {len(probes)}"
