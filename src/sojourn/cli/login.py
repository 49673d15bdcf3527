"""sojourn login: a password for a token."""

from __future__ import annotations

import getpass
import sys
from dataclasses import replace
from typing import Any

from sojourn.errors import Code, SojournError

from .client import send
from .common import DEFAULT_ADDRESS, Common
from .output import print_json, print_line
from .ssh_files import renew


def login(person: str, *, url: str = DEFAULT_ADDRESS, common: Common | None = None) -> None:
    """Sign in. The password is asked for, or read from standard input when that is no terminal.

    So is the code of a second factor, for whoever has one.

    Example: sojourn login alice --url http://127.0.0.1:6580

    Parameters
    ----------
    person
        Your id in people.yaml.
    url
        The address of the API.
    """
    common = common or Common()
    answered = _sign_in(url, {"person": person, "password": read_secret("Password: ")})
    common.save(person, {"url": url, "person": person, "token": answered["token"]})
    if answered.get("ssh"):
        renew(replace(common, as_=person), person)
    if common.json:
        print_json({"person": person, "expires_at": answered["expires_at"]})
        return
    print_line(f"Signed in as {person} until {answered['expires_at']}.")


def _sign_in(url: str, shown: dict[str, str]) -> Any:
    """A token for a password; the code of a second factor is asked for where there is one."""
    try:
        return send(url, "POST", "/sign-in", shown).json()
    except SojournError as error:
        if error.code is not Code.SECOND_FACTOR_MISSING:
            raise
    return send(url, "POST", "/sign-in", {**shown, "code": read_secret("Code of your second factor: ")}).json()


def read_secret(prompt: str) -> str:
    """A secret from the terminal without echo, or one line of standard input."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
