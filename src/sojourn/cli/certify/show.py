"""sojourn certify show: one campaign."""

from __future__ import annotations

from sojourn.cli.client import call, given, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json

from .telling import tell


def show(campaign: str, *, after: int | None = None, common: Common | None = None) -> None:
    """Show what a campaign looks at, and what was decided: all of it, or what you decide on.

    Example: sojourn certify show c-7k3m2q9x4h

    Parameters
    ----------
    campaign
        The campaign's id (see `sojourn certify list`).
    after
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    answered = call(common, "GET", place("campaigns", campaign), params=given(after=after))
    print_json(answered) if common.json else tell(answered)
