"""sojourn actions: what was done in a session."""

from __future__ import annotations

from .client import call, place
from .common import Common
from .output import print_json, print_table


def actions(session: str, *, after: int = 0, common: Common | None = None) -> None:
    """List the actions of a session in order. What they said is sealed; the evidence pack shows it.

    Example: sojourn actions s-7k3m2q9x4h

    Parameters
    ----------
    session
        The session's id.
    after
        Begin after the action of this number.
    """
    common = common or Common()
    answered = call(common, "GET", place("sessions", session, "actions"), params={"after": str(after)})
    if common.json:
        print_json(answered)
        return
    columns = ("number", "at", "verb", "objects", "outcome", "tags", "sqlstate", "rows", "duration_us")
    print_table(answered["actions"], columns, empty="There are none.")
