"""sojourn hold release: let go of what was held."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.client import place as address
from sojourn.cli.common import Common
from sojourn.cli.confirming import confirmation
from sojourn.cli.output import print_json, print_line


def release(hold: str, *, common: Common | None = None) -> None:
    """Release a hold. The first administrator to say so asks for it, a second one releases it.

    Example: sojourn hold release h-7k3m2q9x4h

    Parameters
    ----------
    hold
        The hold's id (see `sojourn hold list`).
    """
    common = common or Common()
    answered = call(common, "POST", address("holds", hold, "release"), confirmation(common, f"release {hold}"))
    if common.json:
        print_json(answered)
    elif answered["status"] == "released":
        print_line(f"{answered['hold']} is released.")
    else:
        print_line(
            f"{answered['hold']} still holds. Another administrator runs: sojourn hold release {answered['hold']}"
        )
