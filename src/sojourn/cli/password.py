"""sojourn password: set another password."""

from __future__ import annotations

from .client import call
from .common import Common
from .login import read_secret
from .output import print_json, print_line


def password(*, common: Common | None = None) -> None:
    """Set another password. You must have signed in within the last five minutes.

    It is asked for without echo, or read from standard input when that is no terminal.

    Example: sojourn password
    """
    common = common or Common()
    call(common, "POST", "/password", {"password": read_secret("New password: ")})
    print_json({}) if common.json else print_line("The password is changed.")
