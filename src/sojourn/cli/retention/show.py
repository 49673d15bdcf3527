"""sojourn retention show: the schedule and the disposals."""

from __future__ import annotations

from typing import Any

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line, print_table

CLASSES = ("record_class", "days", "floor_days", "disposable", "change_days", "change_requested_by")
DISPOSALS = ("disposal", "disposed_at", "disposed_by", "classes", "keys", "values", "held_keys", "holds")


def show(*, common: Common | None = None) -> None:
    """Show how long each class of record is kept, what waits for a second person, and what was disposed of.

    Example: sojourn retention show
    """
    tell(call(common := common or Common(), "GET", "/retention"), common)


def tell(answered: dict[str, Any], common: Common) -> None:
    """Print a schedule."""
    if common.json:
        print_json(answered)
        return
    print_table(answered["classes"], CLASSES, empty="There is no schedule.")
    print_line()
    print_table(answered["disposals"], DISPOSALS, empty="Nothing was disposed of.")
