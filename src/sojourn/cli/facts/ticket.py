"""sojourn facts ticket: a ticket, its kind and its state."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.common import Common

from .telling import tell


def ticket(
    ticket: str,
    *,
    kind: str,
    state: str,
    origin: str,
    executor: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    lasts: str = "7d",
    common: Common | None = None,
) -> None:
    """Tell the kind and the state of a ticket, and who is to carry it out.

    Example: sojourn facts ticket CHG-77 --kind change --state approved --executor bob --origin tracker

    Parameters
    ----------
    ticket
        The ticket's id.
    kind
        Its kind, as rules name it.
    state
        Its state, as rules name it.
    origin
        Where you have it from.
    executor
        Somebody who is to carry it out; can be given several times.
    lasts
        How long it counts without being told again; 31d at most.
    """
    common = common or Common()
    tell("ticket", ticket, lasts=lasts, origin=origin, common=common, sort=kind, state=state, people=list(executor))
