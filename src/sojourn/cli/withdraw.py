"""sojourn withdraw: take a request back, or one's own approval of one."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .client import call, place
from .common import Common
from .output import print_json, print_line


def withdraw(
    request: str, *, approval: Annotated[bool, Parameter(negative="")] = False, common: Common | None = None
) -> None:
    """Take your request back; or, with --approval, your yes to somebody else's, until the access has begun.

    Example: sojourn withdraw r-7k3m2q9x4h

    Example: sojourn withdraw r-7k3m2q9x4h --approval

    Parameters
    ----------
    request
        The request's id.
    approval
        Take back your approval of it: it waits for a decision again.
    """
    common = common or Common()
    answered = call(common, "POST", place("requests", request, "withdraw-approval" if approval else "withdraw"))
    print_json(answered) if common.json else print_line(f"{request} is {answered['status']}.")
