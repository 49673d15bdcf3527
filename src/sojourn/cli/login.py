"""sojourn login: a password for a token."""

from __future__ import annotations

import getpass
import sys
import time
from dataclasses import replace
from typing import Annotated, Any

from cyclopts import Parameter

from sojourn.errors import Code, SojournError

from .client import send
from .common import DEFAULT_ADDRESS, Common
from .output import print_json, print_line
from .ssh_files import add_to_agent, files_of, renew


def login(
    person: str = "",
    *,
    oidc: Annotated[bool, Parameter(negative="")] = False,
    workload: Annotated[bool, Parameter(negative="")] = False,
    url: str = DEFAULT_ADDRESS,
    agent: Annotated[bool, Parameter(negative="")] = False,
    common: Common | None = None,
) -> None:
    """Sign in. The password is asked for, or read from standard input when that is no terminal.

    So is the code of a second factor, for whoever has one.

    Example: sojourn login alice --url http://127.0.0.1:6580

    Example: sojourn login --oidc --url https://sojourn.example

    Example: sojourn login deployer --workload --url https://sojourn.example < id-token

    Parameters
    ----------
    person
        Your id in people.yaml; the provider says it with --oidc.
    oidc
        Sign in at your OpenID provider, in a browser on any device.
    workload
        Come in as a service, by an ID token of the platform that this runs on, which is read from standard input.
    url
        The address of the API.
    agent
        Give the SSH key and its certificate to the SSH agent that is running, until the certificate ends.
    """
    common = common or Common()
    if oidc:
        answered = _by_provider(url)
    elif workload and person:
        answered = _by_id_token(url, person)
    elif person:
        answered = _sign_in(url, {"person": person, "password": read_secret("Password: ")})
    else:
        raise SojournError(Code.INPUT_INVALID, problem="Nobody is named", expected="your id, or --oidc")
    person = answered["person"]
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


def _sign_in(url: str, shown: dict[str, str]) -> Any:
    """A token for a password; the code of a second factor is asked for where there is one."""
    try:
        return send(url, "POST", "/sign-in", shown).json()
    except SojournError as error:
        if error.code is not Code.SECOND_FACTOR_MISSING:
            raise
    return send(url, "POST", "/sign-in", {**shown, "code": read_secret("Code of your second factor: ")}).json()


def _by_id_token(url: str, service: str) -> Any:
    """A token for an ID token."""
    shown = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "client_id": service,
        "subject_token": sys.stdin.read().strip(),
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    }
    answered = send(url, "POST", "/sign-in/workload", shown).json()
    return {**answered, "token": answered["access_token"]}


def _by_provider(url: str) -> Any:
    """A token for what a person does at the provider meanwhile; said on standard error, which is no result."""
    asked = send(url, "POST", "/sign-in/device", {}).json()
    where = f"  {asked['complete_address']}\n" if asked["complete_address"] else ""
    told = f"Go to {asked['address']} and enter {asked['user_code']}.\n{where}"
    sys.stderr.write(told)
    sys.stderr.flush()
    for _ in range(asked["expires_in_seconds"] // asked["seconds"] + 1):
        time.sleep(asked["seconds"])
        signed = send(url, "POST", "/sign-in/device/wait", {"device": asked["device"]}).json()["signed_in"]
        if signed is not None:
            return signed
    raise SojournError(Code.SERVICE_TIMEOUT, what="The sign-in", seconds=str(asked["expires_in_seconds"]))


def read_secret(prompt: str) -> str:
    """A secret from the terminal without echo, or one line of standard input."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
