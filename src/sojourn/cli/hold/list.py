"""sojourn hold list: the holds."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_table

COLUMNS = ("hold", "status", "scope", "name", "people", "start", "end", "reason", "placed_by", "release_requested_by")


def list(  # noqa: A001 - the word that people type
    *, all_: Annotated[bool, Parameter(name="--all", negative="")] = False, common: Common | None = None
) -> None:
    """List the holds that are in force.

    Example: sojourn hold list --all

    Parameters
    ----------
    all_
        Also those that were released.
    """
    common = common or Common()
    answered = call(common, "GET", "/holds", params={"all": "1"} if all_ else None)
    print_json(answered) if common.json else print_table(answered["holds"], COLUMNS, empty="Nothing is held.")
