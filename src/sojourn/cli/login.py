"""sojourn login: a password for a token."""

from __future__ import annotations

import getpass
import sys
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from .client import send
from .common import DEFAULT_ADDRESS, Common
from .output import print_json, print_line
from .ssh_files import add_to_agent, files_of, renew


def login(
    person: str,
    *,
    url: str = DEFAULT_ADDRESS,
    agent: Annotated[bool, Parameter(negative="")] = False,
    common: Common | None = None,
) -> None:
    """Sign in. The password is asked for, or read from standard input when that is no terminal.

    Example: sojourn login alice --url http://127.0.0.1:6580

    Parameters
    ----------
    person
        Your id in people.yaml.
    url
        The address of the API.
    agent
        Give the SSH key and its certificate to the SSH agent that is running, until the certificate ends.
    """
    common = common or Common()
    answered = send(url, "POST", "/sign-in", {"person": person, "password": read_secret("Password: ")}).json()
    common.save(person, {"url": url, "person": person, "token": answered["token"]})
    if answered.get("ssh"):
        signed = replace(common, as_=person)
        given = renew(signed, person)
        if agent:
            add_to_agent(files_of(signed, person), given["expires_at"])
    if common.json:
        print_json({"person": person, "expires_at": answered["expires_at"]})
        return
    print_line(f"Signed in as {person} until {answered['expires_at']}.")


def read_secret(prompt: str) -> str:
    """A secret from the terminal without echo, or one line of standard input."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
