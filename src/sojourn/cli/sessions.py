"""sojourn sessions: connections under accesses."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .client import call, given
from .common import Common
from .output import print_json, print_more, print_table


def sessions(
    *,
    grant: str | None = None,
    open_only: Annotated[bool, Parameter(name="--open", negative="")] = False,
    before: int | None = None,
    common: Common | None = None,
) -> None:
    """List sessions, newest first.

    Example: sojourn sessions --open

    Parameters
    ----------
    grant
        Only those of this grant.
    open_only
        Only those that are open.
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    params = given(grant=grant, open="1" if open_only else None, before=before)
    answered = call(common, "GET", "/sessions", params=params)
    if common.json:
        print_json(answered)
        return
    columns = ("session", "grant", "person", "target", "role", "source", "opened_at", "closed_at", "cause", "actions")
    print_table(answered["sessions"], columns, empty="There are none.")
    print_more(answered)
