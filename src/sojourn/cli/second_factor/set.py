"""sojourn second-factor set: ask for a code beside the password."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.login import read_secret
from sojourn.cli.output import print_json, print_line


def set(*, common: Common | None = None) -> None:  # noqa: A001 - the name of the command
    """Have a code of an authenticator app asked for beside your password.

    The secret is shown once, for the app; then the code that the app shows is asked for, or read from standard input
    when that is no terminal. You must have signed in within the last five minutes.

    Example: sojourn second-factor set
    """
    common = common or Common()
    offered = call(common, "POST", "/second-factor/options", {})
    if not common.json:
        print_line(f"Type this secret into your authenticator app: {offered['secret']}")
        print_line(f"or hand it this address: {offered['address']}")
    code = read_secret("Code that it shows: ")
    call(common, "POST", "/second-factor", {"ticket": offered["ticket"], "code": code})
    if common.json:
        print_json({"secret": offered["secret"], "address": offered["address"]})
    else:
        print_line("From now on your password takes a code besides.")
