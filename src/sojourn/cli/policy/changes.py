"""sojourn policy changes: what was proposed."""

from __future__ import annotations

from sojourn.cli.client import call, given, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_more, print_table

from .differences import print_shown


def changes(change: str = "", *, before: int | None = None, common: Common | None = None) -> None:
    """List proposed changes, or show one with what it means for people. For administrators and auditors.

    Example: sojourn policy changes c-7k3m2q9x4h

    Parameters
    ----------
    change
        The id of a change (default: all, newest first).
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    if not change:
        answered = call(common, "GET", "/configuration/changes", params=given(before=before))
        columns = ("change", "status", "proposed_by", "proposed_at", "base", "decided_by", "version", "reason")
        if common.json:
            print_json(answered)
            return
        print_table(answered["changes"], columns, empty="Nothing was proposed.")
        print_more(answered)
        return
    answered = call(common, "GET", "/configuration" + place("changes", change))
    print_json(answered) if common.json else print_shown(answered)
