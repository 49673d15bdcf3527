"""sojourn retention confirm: agree to another retention."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common

from .show import tell


def confirm(record_class: str, days: int, *, common: Common | None = None) -> None:
    """Agree that a class of record is kept for so many days, as another administrator asked.

    Example: sojourn retention confirm statement 400

    Parameters
    ----------
    record_class
        The class.
    days
        The number of days that was asked for.
    """
    common = common or Common()
    tell(call(common, "POST", place("retention", record_class, "confirm"), {"days": days}), common)
