"""sojourn token: a token for a program."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .client import call
from .common import Common
from .output import print_json, print_line


def token(
    label: str,
    *,
    scope: str,
    life: Annotated[str, Parameter(name="--for")],
    person: Annotated[str, Parameter(name="--person")] = "",
    common: Common | None = None,
) -> None:
    """Make a token for a program, which acts as you, or as a service or agent that you answer for.

    It is good for its scope alone and decides nothing: no token approves, administers or changes an account. It is
    shown once. You must have signed in within the last five minutes. End it with `sojourn sign-ins end`.

    Example: sojourn token "deploy pipeline" --scope tell --for 30d --person deployer

    Parameters
    ----------
    label
        What you call it.
    scope
        What it may be used for, with commas between: read (every look), ask (ask for access, use and end it), tell
        (put facts on record), provision (a directory says by SCIM who is here; for administrators).
    life
        How long it is good, such as 30d.
    person
        The id of a service or agent that you answer for.
    """
    common = common or Common()
    wanted = [one.strip() for one in scope.split(",") if one.strip()]
    sent = {"label": label, "scope": wanted, "life": life, "person": person}
    made = call(common, "POST", "/tokens", sent)
    if common.json:
        print_json(made)
        return
    print_line(f"{made['token']}, for {made['person']}: {', '.join(made['scope'])} until {made['expires_at']}")
    print_line(made["text"])
