"""sojourn activate: begin an approved access."""

from __future__ import annotations

from .client import call, place
from .common import Common
from .output import print_json, print_line


def activate(request: str, *, common: Common | None = None) -> None:
    """Begin an approved access now, and wait until it is there. `sojourn connect` does this by itself.

    Example: sojourn activate r-7k3m2q9x4h

    Parameters
    ----------
    request
        The request's id.
    """
    common = common or Common()
    answered = call(common, "POST", place("requests", request, "activate"))
    if common.json:
        print_json(answered)
        return
    print_line(f"{answered['grant']} is {answered['status']} until {answered['end']}:")
    for privilege in answered["privileges"]:
        print_line(f"  {privilege}")
    print_line(f"Connect with: sojourn connect {answered['target']}")
