"""sojourn hold list: the holds."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.client import call, given
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_later, print_table

COLUMNS = ("hold", "status", "scope", "name", "people", "start", "end", "reason", "placed_by", "release_requested_by")


def list(  # noqa: A001 - the word that people type
    *,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    after: int | None = None,
    common: Common | None = None,
) -> None:
    """List the holds that are in force.

    Example: sojourn hold list --all

    Parameters
    ----------
    all_
        Also those that were released.
    after
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    answered = call(common, "GET", "/holds", params=given(all="1" if all_ else None, after=after))
    if common.json:
        print_json(answered)
        return
    print_table(answered["holds"], COLUMNS, empty="Nothing is held.")
    print_later(answered)
