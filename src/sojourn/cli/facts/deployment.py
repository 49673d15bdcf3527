"""sojourn facts deployment: who brought what runs somewhere into production."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.common import Common

from .telling import tell


def deployment(
    target: str,
    *,
    by: Annotated[tuple[str, ...], Parameter(negative="")],
    origin: str,
    lasts: str = "31d",
    common: Common | None = None,
) -> None:
    """Tell who deployed what runs on a target now.

    Example: sojourn facts deployment shop --by alice --origin pipeline

    Parameters
    ----------
    target
        The target's name.
    by
        Somebody who deployed it; can be given several times.
    origin
        Where you have it from.
    lasts
        How long it counts without being told again; 31d at most.
    """
    tell("deployment", target, lasts=lasts, origin=origin, common=common or Common(), people=list(by))
