"""sojourn target preflight: what Sojourn's own account lacks on a target."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.codes import Exit


def preflight(target: str, *, common: Common | None = None) -> int:
    """Say what Sojourn's account lacks on a target for its roles, with the SQL that gives it. Nothing is changed.

    For administrators and auditors. Exits with 1 if something is lacking.

    Example: sojourn target preflight shop

    Parameters
    ----------
    target
        The target's name (see `sojourn targets`).
    """
    common = common or Common()
    answered = call(common, "POST", f"/targets/{target}/preflight", {})
    if common.json:
        print_json(answered)
    elif answered["lacking"]:
        for line in answered["lacking"]:
            print_line(line)
    else:
        print_line(f"Nothing is lacking on {answered['target']}.")
    return Exit.FAILED if answered["lacking"] else Exit.DONE
