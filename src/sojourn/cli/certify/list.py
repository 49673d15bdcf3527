"""sojourn certify list: the campaigns."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_table

COLUMNS = ("campaign", "title", "status", "due", "items", "undecided", "kept", "removed", "proven")


def list(*, common: Common | None = None) -> None:  # noqa: A001 - the word that people type
    """List campaigns, newest first: those in which you decide, or all of them for administrators and auditors.

    Example: sojourn certify list
    """
    common = common or Common()
    answered = call(common, "GET", "/campaigns")
    if common.json:
        print_json(answered)
    else:
        print_table(answered["campaigns"], COLUMNS, empty="There are none.")
