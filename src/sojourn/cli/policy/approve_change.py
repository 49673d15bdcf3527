"""sojourn policy approve-change: the second person's yes."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.confirming import confirmation
from sojourn.cli.output import print_json, print_line
from sojourn.errors import Code, SojournError

from .differences import print_shown


def approve_change(
    change: str,
    *,
    digest: str = "",
    yes: Annotated[bool, Parameter(negative="")] = False,
    common: Common | None = None,
) -> None:
    """Approve a change that another administrator proposed. It is shown first, and is in force from then on.

    Example: sojourn policy approve-change c-7k3m2q9x4h

    Parameters
    ----------
    change
        The id of the change (see `sojourn policy changes`).
    digest
        What you were shown elsewhere; if the change has another digest, nothing is approved.
    yes
        Do not ask back; needs --digest.
    """
    common = common or Common()
    shown = call(common, "GET", "/configuration" + place("changes", change))
    if not digest:
        if yes or common.json:
            raise SojournError(Code.INPUT_INVALID, problem="What is approved is not named", expected="--digest")
        print_shown(shown)
        _ask_back()
        digest = shown["digest"]
    elif not (yes or common.json):
        print_shown(shown)
        _ask_back()
    sent = {"digest": digest, **confirmation(common, f"approve {change}")}
    answered = call(common, "POST", "/configuration" + place("changes", change, "approve"), sent)
    if common.json:
        print_json(answered)
    else:
        print_line(f"{answered['change']} is approved and in force as version {answered['version']}.")


def _ask_back() -> None:
    if not sys.stdin.isatty():
        raise SojournError(Code.INPUT_INVALID, problem="Nobody is there to ask back", expected="--digest and --yes")
    sys.stdout.write("approve? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise SojournError(Code.INPUT_INVALID, problem="Nothing was approved", expected="y")
