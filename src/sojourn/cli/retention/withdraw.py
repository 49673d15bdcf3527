"""sojourn retention withdraw: leave a retention as it is."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common

from .show import tell


def withdraw(record_class: str, *, common: Common | None = None) -> None:
    """Leave the retention of a class as it is, though somebody asked for another.

    Example: sojourn retention withdraw statement

    Parameters
    ----------
    record_class
        The class.
    """
    common = common or Common()
    tell(call(common, "POST", place("retention", record_class, "withdraw")), common)
