"""sojourn whoami: who is signed in."""

from __future__ import annotations

from .client import call
from .common import Common
from .output import print_fields, print_json


def whoami(*, common: Common | None = None) -> None:
    """Show who is signed in.

    Example: sojourn whoami --json
    """
    common = common or Common()
    answered = call(common, "GET", "/me")
    print_json(answered) if common.json else print_fields(answered)
