"""sojourn away list: who is away."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_table


def list(*, common: Common | None = None) -> None:  # noqa: A001 - the command is called so
    """List who is away, or will be, and who decides in their place.

    Example: sojourn away list
    """
    common = common or Common()
    answered = call(common, "GET", "/absences")
    if common.json:
        print_json(answered)
        return
    print_table(answered["absences"], ("absence", "person", "start", "end", "delegate", "now"), empty="Nobody is away.")
