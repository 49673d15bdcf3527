"""sojourn sample list: every sample."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_table

COLUMNS = ["sample", "person", "start", "end", "size", "population", "open_questions"]


def list(*, common: Common | None = None) -> None:  # noqa: A001 - the command's name
    """List every sample that was drawn, the newest first; for others than auditors those that they are asked about.

    A sample is drawn with a report: `sojourn report fetch access-events ... --sample 25 --seed 4711`.

    Example: sojourn sample list
    """
    common = common or Common()
    found = call(common, "GET", "/samples")
    if common.json:
        print_json(found)
        return
    rows = [{name: str(one[name]) for name in COLUMNS} for one in found["samples"]]
    print_table(rows, COLUMNS, empty="No sample was drawn.")
