"""sojourn facts on-call: who is on call, and when."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.common import Common

from .telling import shift as read_shift
from .telling import tell


def on_call(
    schedule: str,
    *,
    shift: Annotated[tuple[str, ...], Parameter(negative="")],
    origin: str,
    lasts: str = "12h",
    common: Common | None = None,
) -> None:
    """Tell the shifts of a schedule, in the place of those told before.

    Example: sojourn facts on-call primary --shift alice=2026-12-01T08:00Z/2026-12-08T08:00Z --origin pager

    Parameters
    ----------
    schedule
        The schedule's name.
    shift
        PERSON=START/END, the end not included; given once for each shift.
    origin
        Where you have it from.
    lasts
        How long it counts without being told again, such as 12h; 31d at most.
    """
    shifts = [read_shift(one) for one in shift]
    tell("on_call", schedule, lasts=lasts, origin=origin, common=common or Common(), shifts=shifts)
