"""sojourn retention dispose: destroy what has been kept long enough."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_fields, print_json, print_line


def dispose(*, common: Common | None = None) -> None:
    """Destroy the keys to everything that has been kept as long as the schedule says, and is not held.

    At most 4,000 keys go at once, the oldest first; run it again while it finds more.

    Example: sojourn retention dispose
    """
    common = common or Common()
    answered = call(common, "POST", "/disposals")
    if common.json:
        print_json(answered)
        return
    print_fields(answered)
    print_line(f"The proof: sojourn retention certificate {answered['disposal']}")
