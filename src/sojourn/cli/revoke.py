"""sojourn revoke: take somebody's access away."""

from __future__ import annotations

from .common import Common
from .ending import end_grant


def revoke(grant: str, *, common: Common | None = None) -> None:
    """Take somebody's access away at once: sessions are cut, and its removal is read back from the target.

    Example: sojourn revoke g-7k3m2q9x4h

    Parameters
    ----------
    grant
        The grant's id.
    """
    end_grant(common or Common(), grant, "revoke")
