"""sojourn stop: end one session."""

from __future__ import annotations

from .client import call, place
from .common import Common
from .output import print_json, print_line


def stop(session: str, *, common: Common | None = None) -> None:
    """End one session at once, on record. Its access goes on; `sojourn revoke` ends that with all its sessions.

    Example: sojourn stop s-7k3m2q9x4h

    Parameters
    ----------
    session
        The session's id (see `sojourn sessions --open`).
    """
    common = common or Common()
    answered = call(common, "POST", place("sessions", session, "stop"))
    if common.json:
        print_json(answered)
    elif answered["closed_at"] is None:
        print_line(f"{session} is told to end; its gateway has not said yet that it is closed.")
    else:
        print_line(f"{session} is over ({answered['cause']}). Access {answered['grant']} goes on.")
