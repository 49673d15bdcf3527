"""sojourn certify close: end a campaign."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json

from .telling import tell


def close(campaign: str, *, common: Common | None = None) -> None:
    """End a campaign that is due, or in which everything is decided. It ends by itself too. Takes an administrator.

    Example: sojourn certify close c-7k3m2q9x4h

    Parameters
    ----------
    campaign
        The campaign's id (see `sojourn certify list`).
    """
    common = common or Common()
    answered = call(common, "POST", place("campaigns", campaign, "close"))
    print_json(answered) if common.json else tell(answered)
