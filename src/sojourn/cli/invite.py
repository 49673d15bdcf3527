"""sojourn invite: let somebody set up an account."""

from __future__ import annotations

from pathlib import Path

from .client import call, place
from .common import Common
from .output import print_json, print_line


def invite(person: str, *, data: Path | None = None, common: Common | None = None) -> None:
    """Make a one-time code with which a person sets up their account.

    Administrators do this signed in. Who runs the installation does it with --data on the machine itself, which
    is how the first account is made.

    Example: sojourn invite alice --data ./sojourn

    Parameters
    ----------
    person
        The person's id in people.yaml.
    data
        Invite as the operator of this data directory, without being signed in.
    """
    common = common or Common()
    if data is not None:
        # An administrator who is signed in does not wait for all that runs an installation.
        from sojourn.app.installation import lay_out
        from sojourn.app.offline import invite_as_operator

        answered = invite_as_operator(lay_out(data), person)
    else:
        answered = call(common, "POST", place("people", person, "invitation"))
    if common.json:
        print_json(answered)
        return
    print_line(f"{answered['person']} sets up the account until {answered['expires_at']} with:")
    print_line(f"  sojourn enrol {answered['person']} {answered['code']}")
