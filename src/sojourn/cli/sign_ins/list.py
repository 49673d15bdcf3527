"""sojourn sign-ins list: where you are signed in."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line


def list(*, common: Common | None = None) -> None:  # noqa: A001 - the name of the command
    """List every credential of yours that is good now: sign-ins, tokens of connections and SSH keys.

    Example: sojourn sign-ins list
    """
    common = common or Common()
    answered = call(common, "GET", "/sign-ins")
    if common.json:
        print_json(answered)
        return
    for one in answered["sign_ins"]:
        here = "  (this one)" if one["current"] else ""
        span = f"since {one['issued_at']} until {one['expires_at']}"
        print_line(f"{one['token']}  {one['purpose']}  {span}  {one['source']}{here}")
