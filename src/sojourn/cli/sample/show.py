"""sojourn sample show: one sample."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common

from . import telling


def show(sample: str, *, common: Common | None = None) -> None:
    """Show a sample: what is in it, what was asked about it, and what was answered.

    Example: sojourn sample show sample-7k3m2q9x4h

    Parameters
    ----------
    sample
        The sample's id.
    """
    common = common or Common()
    telling.show(common, call(common, "GET", place("samples", sample)))
