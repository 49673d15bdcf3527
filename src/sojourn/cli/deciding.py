"""What approving and denying share: show what is asked, ask back, send the digest of what was shown."""

from __future__ import annotations

import sys

from sojourn.errors import Code, SojournError

from .client import call, place
from .common import Common
from .output import print_fields, print_json, print_line, seconds_text


def decide(common: Common, request: str, verb: str, *, comment: str, yes: bool) -> None:
    """Decide on a request as the signed-in person. Raises SojournError with the API's codes."""
    shown = call(common, "GET", place("requests", request))
    if not yes and not common.json:
        _confirm(shown, verb)
    answered = call(common, "POST", place("requests", request, verb), {"digest": shown["digest"], "comment": comment})
    if common.json:
        print_json(answered)
    else:
        print_line(f"{answered['request']} is {answered['status']}.")


def _confirm(shown: dict[str, object], verb: str) -> None:
    seconds = shown["duration_seconds"]
    assert isinstance(seconds, int)
    print_fields(
        {
            "who": shown["person"],
            "what": f"{shown['role']} on {shown['target']} for {seconds_text(seconds)}",
            "why": shown["reason"],
            "rule": shown["rules"],
            "digest": shown["digest"],
        }
    )
    if not sys.stdin.isatty():
        raise SojournError(Code.INPUT_INVALID, problem="Nobody is there to ask back", expected="--yes")
    sys.stdout.write(f"{verb}? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise SojournError(Code.INPUT_INVALID, problem="Nothing was decided", expected="y")
