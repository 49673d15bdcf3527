"""sojourn away end: be back early."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line


def end(absence: str, *, common: Common | None = None) -> None:
    """Be back early, or call an absence off. From here on you decide again yourself.

    Example: sojourn away end a-7k3m2q9x4h

    Parameters
    ----------
    absence
        Its id (see `sojourn away list`).
    """
    common = common or Common()
    answered = call(common, "POST", place("absences", absence, "end"))
    print_json(answered) if common.json else print_line(f"{absence} has ended.")
