"""Confirming a decision on the command line: with the password, which is asked for anew where it is needed."""

from __future__ import annotations

from sojourn.errors import Code, SojournError

from .client import call
from .common import Common
from .login import read_secret


def confirmation(common: Common, action: str) -> dict[str, str]:
    """What has to go along with a decision of the signed-in person.

    Raises SojournError `confirmation.needed` where it takes a passkey, which only a browser can ask.
    """
    caller = call(common, "GET", "/me")
    if not caller["confirms"]:
        return {}
    if "password" not in caller["confirms"]:
        how = f"a passkey, in a browser at {common.profile()['url']}"
        raise SojournError(Code.CONFIRMATION_NEEDED, person=caller["person"], action=action, how=how)
    given = {"password": read_secret("Your password: ")}
    return {**given, "code": read_secret("Code of your second factor: ")} if caller["second_factor"] else given
