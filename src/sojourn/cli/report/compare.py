"""sojourn report compare: two periods side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.output import print_json, print_line, print_table
from sojourn.errors import Code, SojournError
from sojourn.evidence.reports.comparing import Compared, Side, read
from sojourn.evidence.reports.comparing import compare as compared


def compare(first: Path, second: Path, *, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Compare two reports of the same kind: rows, sums, tests, and how many of each status, kind, target and outcome.

    It reads the two files and nothing else; check both with `sojourn-verify` first.

    Example: sojourn report compare q2.zip q3.zip

    Parameters
    ----------
    first
        The ZIP of the one period.
    second
        The ZIP of the other.
    json
        Print JSON.
    """
    try:
        sides = read(first), read(second)
        found = compared(*sides)
    except (ValueError, OSError) as error:
        problem = str(error)
        raise SojournError(
            Code.INPUT_INVALID, problem=problem, expected="the ZIPs of two reports of one kind"
        ) from error
    if json:
        print_json(
            {"first": _period(sides[0]), "second": _period(sides[1]), "compared": [_shown(one) for one in found]}
        )
        return
    print_line(f"first   {' to '.join(_period(sides[0]).values())}")
    print_line(f"second  {' to '.join(_period(sides[1]).values())}")
    print_line()
    rows = [{**_shown(one), "difference": f"{one.difference:+d}" if one.difference else ""} for one in found]
    print_table(rows, ["measure", "first", "second", "difference"], empty="")


def _period(side: Side) -> dict[str, str]:
    period = side.parameters["period"]
    return {"start": str(period["start"]), "end": str(period["end"])}


def _shown(one: Compared) -> dict[str, str | int]:
    return {"measure": one.measure, "first": one.first, "second": one.second, "difference": one.difference}
