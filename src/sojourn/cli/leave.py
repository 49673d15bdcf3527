"""sojourn leave: somebody has left."""

from __future__ import annotations

from .client import call, place
from .common import Common
from .look_back import tell
from .output import print_json, print_line


def leave(person: str, *, reason: str = "", common: Common | None = None) -> None:
    """Record that somebody has left. Their sign-ins are dead at once, and all accesses that they hold end.

    What they had and did in the last 90 days goes on record and is shown. Only administrators can do this.

    Example: sojourn leave alice --reason "last day was Friday"

    Parameters
    ----------
    person
        The person's id.
    reason
        A word to go on record with it.
    """
    common = common or Common()
    answered = call(common, "POST", place("people", person, "leave"), {"reason": reason})
    if common.json:
        print_json(answered)
        return
    print_line(f"{person} has left.")
    tell(answered)
