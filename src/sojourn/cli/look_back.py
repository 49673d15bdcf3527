"""sojourn look-back: what somebody had and did."""

from __future__ import annotations

from typing import Any

from .client import call, place
from .common import Common
from .output import print_fields, print_json


def look_back(person: str, *, common: Common | None = None) -> None:
    """Show what somebody had and did in the last 90 days: accesses, sessions, actions, decisions.

    Example: sojourn look-back alice

    Parameters
    ----------
    person
        The person's id.
    """
    common = common or Common()
    answered = call(common, "GET", place("people", person, "look-back"))
    print_json(answered) if common.json else tell(answered)


def tell(found: dict[str, Any]) -> None:
    """Print a look-back for people."""
    print_fields(
        {
            "since": found["since"],
            "accesses": found["grants_total"],
            "not ended yet": found["grants_open"],
            "sessions": found["sessions"],
            "actions": found["actions"],
            "of which could write": found["writes"],
            "requests decided": found["requests_decided"],
            "newest accesses": found["grants"][:10],
        }
    )
