"""sojourn sign-ins end: end one of your sign-ins."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line


def end(token: str, *, common: Common | None = None) -> None:
    """End one of your sign-ins: it opens nothing any more, wherever it was taken to.

    Example: sojourn sign-ins end t-7k3m2q9x4h

    Parameters
    ----------
    token
        Its id (see `sojourn sign-ins list`).
    """
    common = common or Common()
    call(common, "POST", place("sign-ins", token, "end"), {})
    print_json({"token": token}) if common.json else print_line(f"{token} opens nothing any more.")
