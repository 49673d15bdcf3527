"""sojourn away declare: be away, and name who decides meanwhile."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line


def declare(
    *,
    until: str,
    start: Annotated[str, Parameter(name="--from")] = "",
    delegate: str = "",
    common: Common | None = None,
) -> None:
    """Be away for some time. Your delegate decides in your place: the two of you count as one person.

    What was delegated to you is not passed on, and nobody decides on their own request through a delegation.

    Example: sojourn away declare --until 2026-12-01T08:00:00Z --delegate bob

    Parameters
    ----------
    until
        When you are back: a date and time with its offset.
    start
        When it begins (default: now).
    delegate
        Who decides in your place; without one, nobody does.
    """
    common = common or Common()
    answered = call(common, "POST", "/absences", {"start": start, "end": until, "delegate": delegate})
    if common.json:
        print_json(answered)
        return
    instead = (
        f"{answered['delegate']} decides in your place" if answered["delegate"] else "nobody decides in your place"
    )
    print_line(f"{answered['absence']}: away from {answered['start']} to {answered['end']}; {instead}.")
