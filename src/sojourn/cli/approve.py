"""sojourn approve: say yes to a request."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .common import Common
from .deciding import decide


def approve(
    request: str,
    *,
    comment: str = "",
    role: str = "",
    duration: Annotated[str, Parameter(name="--for")] = "",
    yes: Annotated[bool, Parameter(negative="")] = False,
    common: Common | None = None,
) -> None:
    """Say yes to a request, or to less than it asks for. It is shown first, and the decision counts for just that.

    When you give less, approvals of others were for more and count no more.

    Example: sojourn approve r-7k3m2q9x4h

    Example: sojourn approve r-7k3m2q9x4h --for 15m --comment "that is enough for a look"

    Parameters
    ----------
    request
        The request's id (see `sojourn requests --waiting`).
    comment
        A word to go on record with it.
    role
        Give this narrower role instead.
    duration
        Give this shorter time instead.
    yes
        Do not ask back.
    """
    less = {"role": role, "duration": duration} if role or duration else None
    decide(common or Common(), request, "approve", comment=comment, yes=yes, less=less)
