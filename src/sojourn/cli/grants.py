"""sojourn grants: accesses."""

from __future__ import annotations

from .client import call, given
from .common import Common
from .output import print_json, print_more, print_table


def grants(*, status: str | None = None, before: int | None = None, common: Common | None = None) -> None:
    """List accesses, newest first.

    Example: sojourn grants --status active

    Parameters
    ----------
    status
        Only those in this status: provisioning, active, ended, removed.
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    answered = call(common, "GET", "/grants", params=given(status=status, before=before))
    if common.json:
        print_json(answered)
        return
    rows = [{**one, "decided": "break-glass" if one["break_glass"] else "yes"} for one in answered["grants"]]
    columns = ("grant", "status", "person", "target", "role", "start", "end", "decided", "cause", "problem")
    print_table(rows, columns, empty="There are none.")
    print_more(answered)
