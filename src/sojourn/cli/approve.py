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
    yes: Annotated[bool, Parameter(negative="")] = False,
    common: Common | None = None,
) -> None:
    """Say yes to a request. It is shown first, and the decision counts for exactly what was shown.

    Example: sojourn approve r-7k3m2q9x4h

    Parameters
    ----------
    request
        The request's id (see `sojourn requests --waiting`).
    comment
        A word to go on record with it.
    yes
        Do not ask back.
    """
    decide(common or Common(), request, "approve", comment=comment, yes=yes)
