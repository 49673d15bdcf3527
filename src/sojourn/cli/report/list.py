"""sojourn report list: the reports that there are."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.output import print_json, print_table
from sojourn.evidence.reports.directory import REPORTS


def list(*, json: Annotated[bool, Parameter(negative="")] = False) -> None:  # noqa: A001 - the command's name
    """List the reports that can be made, and what each is for.

    Example: sojourn report list

    Parameters
    ----------
    json
        Print JSON.
    """
    rows = [{"report": name, "title": one.title, "purpose": one.purpose} for name, one in REPORTS.items()]
    if json:
        print_json({"reports": rows})
    else:
        print_table(rows, ["report", "purpose"], empty="")
