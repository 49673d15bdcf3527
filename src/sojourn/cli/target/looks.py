"""sojourn target looks: what was seen at a target lately."""

from __future__ import annotations

from sojourn.cli.client import call, given, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_more, print_table


def looks(target: str, *, before: int | None = None, common: Common | None = None) -> None:
    """List what was seen at a target, the last first: differences from the record, changed accounts, times unseen.

    For administrators and auditors.

    Example: sojourn target looks shop

    Parameters
    ----------
    target
        The target's name (see `sojourn targets`).
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    answered = call(common, "GET", place("targets", target, "looks"), params=given(before=before))
    if common.json:
        print_json(answered)
        return
    rows = [
        {
            "entry": look["seq"],
            "at": look["at"],
            "sessions": f"{look['sessions_matched']}/{look['sessions']}",
            "findings": len(look["findings"]),
            "accounts": "; ".join(look["accounts_changed"]) or "as before",
            "problem": look["problem"] or "",
        }
        for look in answered["looks"]
    ]
    columns = ("entry", "at", "sessions", "findings", "accounts", "problem")
    print_table(rows, columns, empty="It has not been looked at yet.")
    print_more(answered)
