"""sojourn ssh-key remove: a key of yours opens nothing any more."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line


def remove(token: str, *, common: Common | None = None) -> None:
    """Take back a key of yours: no connection is opened with it from now on.

    Example: sojourn ssh-key remove t-4k2v9q

    Parameters
    ----------
    token
        The id that `sojourn ssh-key add` has printed.
    """
    common = common or Common()
    call(common, "POST", place("ssh-keys", token, "revoke"), {})
    print_json({"token": token}) if common.json else print_line(f"{token} opens nothing any more.")
