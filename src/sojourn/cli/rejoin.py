"""sojourn rejoin: somebody is back."""

from __future__ import annotations

from .client import call, place
from .common import Common
from .output import print_json, print_line


def rejoin(person: str, *, reason: str = "", common: Common | None = None) -> None:
    """Record that somebody who had left is back. Their old accesses and sign-ins stay dead.

    Example: sojourn rejoin alice --reason "recorded by mistake"

    Parameters
    ----------
    person
        The person's id.
    reason
        A word to go on record with it.
    """
    common = common or Common()
    answered = call(common, "POST", place("people", person, "rejoin"), {"reason": reason})
    print_json(answered) if common.json else print_line(f"{person} is back.")
