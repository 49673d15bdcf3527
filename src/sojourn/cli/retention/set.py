"""sojourn retention set: ask that a class of record is kept for so long."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common

from .show import tell


def set(record_class: str, days: int, *, common: Common | None = None) -> None:  # noqa: A001 - the word people type
    """Ask that a class of record is kept for so many days. It counts once another administrator has confirmed it.

    No class is kept for less than its floor (see `sojourn retention show`).

    Example: sojourn retention set statement 400

    Parameters
    ----------
    record_class
        statement, recording, reason, credential, configuration or access_evidence.
    days
        How many days.
    """
    common = common or Common()
    tell(call(common, "POST", "/retention", {"record_class": record_class, "days": days}), common)
