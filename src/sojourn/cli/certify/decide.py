"""sojourn certify decide: keep it, or take it away."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.errors import Code, SojournError


def decide(
    campaign: str,
    number: int,
    *,
    keep: Annotated[bool, Parameter(negative="")] = False,
    remove: Annotated[bool, Parameter(negative="")] = False,
    comment: str = "",
    common: Common | None = None,
) -> None:
    """Keep something for somebody, or take it away at once: nothing is given under it, and accesses under it end.

    Example: sojourn certify decide c-7k3m2q9x4h 3 --keep

    Example: sojourn certify decide c-7k3m2q9x4h 4 --remove --comment "changed teams"

    Parameters
    ----------
    campaign
        The campaign's id (see `sojourn certify list`).
    number
        The number of the item (see `sojourn certify show`).
    keep
        They go on having it.
    remove
        It is taken away.
    comment
        Why.
    """
    if keep == remove:
        raise SojournError(Code.INPUT_INVALID, problem="It is kept or removed", expected="either --keep or --remove")
    common = common or Common()
    body = {"number": number, "keep": keep, "comment": comment}
    answered = call(common, "POST", place("campaigns", campaign, "decisions"), body)
    if common.json:
        print_json(answered)
    else:
        left = answered["campaign"]["undecided"]
        print_line(f"Item {number} is {'kept' if keep else 'removed'}; {left} are undecided.")
