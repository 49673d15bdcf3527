"""sojourn second-factor remove: ask for no code any more."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line


def remove(*, common: Common | None = None) -> None:
    """Have no code asked for beside your password any more. You must have signed in within the last five minutes.

    Example: sojourn second-factor remove
    """
    common = common or Common()
    call(common, "POST", "/second-factor/remove", {})
    print_json({}) if common.json else print_line("Your password alone signs you in again.")
