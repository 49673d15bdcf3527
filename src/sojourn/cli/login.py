"""sojourn login: a password for a token."""

from __future__ import annotations

import getpass
import sys
from dataclasses import replace

from .client import send
from .common import DEFAULT_ADDRESS, Common
from .output import print_json, print_line
from .ssh_files import renew


def login(person: str, *, url: str = DEFAULT_ADDRESS, common: Common | None = None) -> None:
    """Sign in. The password is asked for, or read from standard input when that is no terminal.

    Example: sojourn login alice --url http://127.0.0.1:6580

    Parameters
    ----------
    person
        Your id in people.yaml.
    url
        The address of the API.
    """
    common = common or Common()
    answered = send(url, "POST", "/sign-in", {"person": person, "password": read_secret("Password: ")}).json()
    common.save(person, {"url": url, "person": person, "token": answered["token"]})
    if answered.get("ssh"):
        renew(replace(common, as_=person), person)
    if common.json:
        print_json({"person": person, "expires_at": answered["expires_at"]})
        return
    print_line(f"Signed in as {person} until {answered['expires_at']}.")


def read_secret(prompt: str) -> str:
    """A secret from the terminal without echo, or one line of standard input."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
