"""sojourn recover: give somebody a new way into an account that nothing opens any more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.installation import lay_out
from sojourn.app.offline import recover_as_operator

from .client import call, place
from .common import Common
from .output import print_json, print_line


def recover(
    person: str,
    *,
    reason: str = "",
    confirm: Annotated[bool, Parameter(negative="")] = False,
    data: Path | None = None,
    common: Common | None = None,
) -> None:
    """Recover an account whose person has lost every way in. It takes two people, and neither is that person.

    One says so; another administrator confirms it within a day and hands the one-time code over, in person. From then
    on nothing opens the account but that code, and whoever is signed in as its person is signed out. Who runs the
    installation can be the first of the two, with --data on the machine itself.

    Example: sojourn recover alice --reason "phone and laptop stolen, she came to my desk"

    Example: sojourn recover alice --confirm

    Parameters
    ----------
    person
        The person's id in people.yaml.
    reason
        How you know that it is them who ask. It is sealed.
    confirm
        Confirm what somebody else has asked for.
    data
        Ask as the operator of this data directory, without being signed in.
    """
    common = common or Common()
    if data is not None:
        answered = recover_as_operator(lay_out(data), person, reason)
    elif confirm:
        answered = call(common, "POST", place("people", person, "recovery", "confirm"), {})
    else:
        answered = call(common, "POST", place("people", person, "recovery"), {"reason": reason})
    if common.json:
        print_json(answered)
    elif "code" in answered:
        print_line(f"{person} sets up the account anew until {answered['expires_at']} with:")
        print_line(f"  sojourn enrol {person} {answered['code']}")
    else:
        print_line(f"Another administrator confirms it until {answered['until']} with:")
        print_line(f"  sojourn recover {person} --confirm")
