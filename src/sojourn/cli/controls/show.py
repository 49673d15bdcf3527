"""sojourn controls show: one control, whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.audit.printing import layout_of
from sojourn.cli.output import print_json, print_line
from sojourn.errors import Code, SojournError
from sojourn.evidence.controls.register import CONTROLS

from .telling import as_json, read_controls


def show(
    control: str,
    *,
    from_: Annotated[str, Parameter(name="--from")] = "",
    until: str = "",
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Show one control: its wording and design from the policy in force, and its operation and tests from the record.

    Example: sojourn controls show provisioning --from 2026-07-01 --until 2026-10-01

    Parameters
    ----------
    control
        The name of the control (see `sojourn controls list`).
    from_
        Start of the period (default: 92 days before its end).
    until
        End of the period, which is not in it (default: now).
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    names = ", ".join(one.name for one in CONTROLS)
    found = next((one for one in read_controls(layout_of(data), from_, until) if one.control.name == control), None)
    if found is None:
        raise SojournError(Code.INPUT_INVALID, problem=f"There is no control {control}", expected=names)
    if json:
        print_json(as_json(found))
        return
    print_line(f"{found.control.name}: {found.control.title}")
    for heading, lines in (
        ("Wording", found.wording),
        ("Design", [f"{line.source}: {line.text}" for line in found.design]),
        ("Operation", [_measure(one.what, one.population, one.exceptions, one.where) for one in found.operation]),
        ("Tests", [_test(one.probe.name, one.probe.passed, one.probe.found, one.recorded.seq) for one in found.tried]),
    ):
        print_line()
        print_line(heading)
        for line in lines or ("nothing yet",):
            print_line(f"  {line}")


def _measure(what: str, population: int, exceptions: int | None, where: str) -> str:
    told = "" if exceptions is None else f", {exceptions} exceptions"
    return f"{what}: {population}{told} ({where})"


def _test(probe: str, passed: bool, found: str, entry: int) -> str:
    return f"{probe}: {'passed' if passed else 'FAILED'}; {found} (entry {entry})"
