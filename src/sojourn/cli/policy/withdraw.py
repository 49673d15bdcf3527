"""sojourn policy withdraw: take a proposed change back."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line


def withdraw(change: str, *, common: Common | None = None) -> None:
    """Take a proposed change back: yours, or as an administrator anybody's.

    Example: sojourn policy withdraw c-7k3m2q9x4h

    Parameters
    ----------
    change
        The id of the change.
    """
    common = common or Common()
    answered = call(common, "POST", "/configuration" + place("changes", change, "withdraw"))
    print_json(answered) if common.json else print_line(f"{answered['change']} is {answered['status']}.")
