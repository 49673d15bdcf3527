"""sojourn review show: one review."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json

from .telling import tell


def show(grant: str, *, common: Common | None = None) -> None:
    """Show what was done under an access, the checklist, and what was said and found.

    Its sessions are listed by `sojourn sessions --grant`, what was done in one by `sojourn actions`.

    Example: sojourn review show g-7k3m2q9x4h

    Parameters
    ----------
    grant
        The grant's id (see `sojourn review list`).
    """
    common = common or Common()
    answered = call(common, "GET", place("reviews", grant))
    print_json(answered) if common.json else tell(answered)
