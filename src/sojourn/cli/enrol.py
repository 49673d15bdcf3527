"""sojourn enrol: redeem an invitation for an account."""

from __future__ import annotations

from .client import send
from .common import DEFAULT_ADDRESS, Common
from .login import read_secret
from .output import print_json, print_line


def enrol(person: str, code: str, *, url: str = DEFAULT_ADDRESS, common: Common | None = None) -> None:
    """Set up your account with the one-time code of an invitation, and choose a password.

    Example: sojourn enrol alice 7h2k…

    Parameters
    ----------
    person
        Your id in people.yaml.
    code
        The code that you were given.
    url
        The address of the API.
    """
    common = common or Common()
    send(url, "POST", "/enrol", {"person": person, "code": code, "password": read_secret("New password: ")})
    if common.json:
        print_json({"person": person})
    else:
        print_line(f"The account of {person} is set up. Sign in with: sojourn login {person} --url {url}")
