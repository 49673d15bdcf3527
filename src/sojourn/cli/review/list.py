"""sojourn review list: what is to be looked at."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.client import call, given
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_more, print_table


def list(  # noqa: A001 - the name of the command
    *,
    mine: Annotated[bool, Parameter(negative="")] = False,
    everything: Annotated[bool, Parameter(name="--all", negative="")] = False,
    by_risk: Annotated[bool, Parameter(negative="")] = False,
    before: int | None = None,
    common: Common | None = None,
) -> None:
    """List reviews that wait for you, newest first.

    Example: sojourn review list

    Parameters
    ----------
    mine
        Those of accesses that you held.
    everything
        All of them, for administrators and auditors.
    by_risk
        The riskiest of the page first; `sojourn review show` tells every reason of a rank.
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    order = "risk" if by_risk else None
    params = given(mine="1" if mine else None, all="1" if everything else None, by=order, before=before)
    answered = call(common, "GET", "/reviews", params=params)
    if common.json:
        print_json(answered)
        return
    columns = ("grant", "risk", "status", "waits_for", "due", "person", "target", "role", "outcome")
    rows = [{**one, "risk": one["risk"]["level"]} for one in answered["reviews"]]
    print_table(rows, columns, empty="There are none.")
    print_more(answered)
