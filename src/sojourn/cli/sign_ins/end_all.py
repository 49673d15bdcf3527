"""sojourn sign-ins end-all: end every sign-in of a person."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line


def end_all(person: str, *, common: Common | None = None) -> None:
    """End every sign-in, token and SSH key of a person, as an administrator. Their account and accesses stay.

    Example: sojourn sign-ins end-all alice

    Parameters
    ----------
    person
        The person's id in people.yaml.
    """
    common = common or Common()
    answered = call(common, "POST", place("people", person, "sign-out"), {})
    print_json(answered) if common.json else print_line(f"{answered['ended']} credentials of {person} are dead.")
