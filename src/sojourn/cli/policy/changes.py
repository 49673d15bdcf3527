"""sojourn policy changes: what was proposed."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_table

from .differences import print_shown


def changes(change: str = "", *, common: Common | None = None) -> None:
    """List proposed changes, or show one with what it means for people. For administrators and auditors.

    Example: sojourn policy changes c-7k3m2q9x4h

    Parameters
    ----------
    change
        The id of a change (default: all, newest first).
    """
    common = common or Common()
    if not change:
        answered = call(common, "GET", "/configuration/changes")
        columns = ("change", "status", "proposed_by", "proposed_at", "base", "decided_by", "version", "reason")
        rows = answered["changes"]
        print_json(answered) if common.json else print_table(rows, columns, empty="Nothing was proposed.")
        return
    answered = call(common, "GET", "/configuration" + place("changes", change))
    print_json(answered) if common.json else print_shown(answered)
