"""sojourn certify open: begin a campaign."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json

from .telling import tell


def open(  # noqa: A001 - the word that people type
    title: str,
    *,
    reviewer: Annotated[tuple[str, ...], Parameter(negative="")],
    until: str,
    common: Common | None = None,
) -> None:
    """Have everybody's eligibility looked at. Takes an administrator.

    All that anybody may ask for at this moment is listed and locked. Nobody decides on what is theirs. What nobody has
    decided on when the time is up is taken away.

    Example: sojourn certify open "First quarter" --reviewer bob --reviewer carol --until 2026-12-15T17:00:00Z

    Parameters
    ----------
    title
        What it is called.
    reviewer
        Somebody who decides; can be given several times.
    until
        When it ends: a date and time with its offset, within 92 days.
    """
    common = common or Common()
    body = {"title": title, "reviewers": [*reviewer], "due": until}
    answered = call(common, "POST", "/campaigns", body)
    print_json(answered) if common.json else tell(answered)
