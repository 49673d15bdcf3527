"""sojourn facts incident: an incident is open, or over."""

from __future__ import annotations

from sojourn.cli.common import Common

from .telling import tell


def incident(
    incident: str, *, origin: str, state: str = "open", lasts: str = "12h", common: Common | None = None
) -> None:
    """Tell the state of an incident. Rules that ask for an incident take one that is open.

    Example: sojourn facts incident INC-2041 --origin pager

    Parameters
    ----------
    incident
        The incident's id.
    origin
        Where you have it from.
    state
        Its state: open, or any other word for one that is over.
    lasts
        How long it counts without being told again; 31d at most.
    """
    tell("incident", incident, lasts=lasts, origin=origin, common=common or Common(), state=state)
