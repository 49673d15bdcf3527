"""sojourn withdraw: take a request back."""

from __future__ import annotations

from .client import call, place
from .common import Common
from .output import print_json, print_line


def withdraw(request: str, *, common: Common | None = None) -> None:
    """Take your request back.

    Example: sojourn withdraw r-7k3m2q9x4h

    Parameters
    ----------
    request
        The request's id.
    """
    common = common or Common()
    answered = call(common, "POST", place("requests", request, "withdraw"))
    print_json(answered) if common.json else print_line(f"{request} is {answered['status']}.")
