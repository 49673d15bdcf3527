"""sojourn certify list: the campaigns."""

from __future__ import annotations

from sojourn.cli.client import call, given
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_more, print_table

COLUMNS = ("campaign", "title", "status", "due", "items", "undecided", "kept", "removed", "proven")


def list(*, before: int | None = None, common: Common | None = None) -> None:  # noqa: A001 - the word that people type
    """List campaigns, newest first: those in which you decide, or all of them for administrators and auditors.

    Example: sojourn certify list

    Parameters
    ----------
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    answered = call(common, "GET", "/campaigns", params=given(before=before))
    if common.json:
        print_json(answered)
    else:
        print_table(answered["campaigns"], COLUMNS, empty="There are none.")
        print_more(answered)
