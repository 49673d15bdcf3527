"""sojourn end: end your access early."""

from __future__ import annotations

from .common import Common
from .ending import end_grant


def end(grant: str, *, common: Common | None = None) -> None:
    """End your access early at once: sessions are cut, and its removal is read back from the target.

    Example: sojourn end g-7k3m2q9x4h

    Parameters
    ----------
    grant
        The grant's id.
    """
    end_grant(common or Common(), grant, "end")
