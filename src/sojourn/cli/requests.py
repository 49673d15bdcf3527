"""sojourn requests: what was asked."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .client import call, given
from .common import Common
from .output import print_json, print_line, print_more, print_table, seconds_text


def requests(
    *,
    waiting: Annotated[bool, Parameter(negative="")] = False,
    status: str | None = None,
    before: int | None = None,
    common: Common | None = None,
) -> None:
    """List requests, newest first: yours, or those that wait for your decision.

    With --waiting it also lists break-glass that you were told of, until it is reviewed.

    Example: sojourn requests --waiting

    Parameters
    ----------
    waiting
        Only those that wait for your decision.
    status
        Only those in this status: pending, approved, denied, withdrawn, expired, activated.
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    params = given(waiting="1" if waiting else None, status=status, before=before)
    answered = call(common, "GET", "/requests", params=params)
    if common.json:
        print_json(answered)
        return
    rows = [{**one, "for": seconds_text(one["duration_seconds"])} for one in answered["requests"]]
    columns = ("request", "status", "person", "target", "role", "for", "submitted_at", "reason")
    print_table(rows, columns, empty="There are none.")
    print_more(answered)
    if answered["told"]:
        print_line()
        print_line("Taken by break-glass, without a decision beforehand:")
        print_table(answered["told"], ("grant", "status", "person", "target", "role", "taken_at"), empty="")
