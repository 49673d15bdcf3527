"""What approving and denying share: show what is asked, ask back, send the digest of what was shown."""

from __future__ import annotations

import sys
from typing import Any

from sojourn.errors import Code, SojournError

from .client import call, place
from .common import Common
from .confirming import confirmation
from .output import print_fields, print_json, print_line, seconds_text


def decide(
    common: Common, request: str, verb: str, *, comment: str, yes: bool, less: dict[str, str] | None = None
) -> None:
    """Decide on a request as the signed-in person; with `less`, on a narrower role or a shorter time.

    Raises SojournError with the API's codes.
    """
    shown = call(common, "GET", place("requests", request))
    if not yes and not common.json:
        _confirm(shown, verb, less)
    sent = {"digest": shown["digest"], "comment": comment}
    if less is not None:
        verb = "approve-less"
        sent["role"] = less["role"] or shown["role"]
        sent["duration"] = less["duration"] or f"{shown['duration_seconds']}s"
    if verb != "deny":
        sent |= confirmation(common, f"{verb} {request}")
    answered = call(common, "POST", place("requests", request, verb), sent)
    if common.json:
        print_json(answered)
    else:
        print_line(f"{answered['request']} is {answered['status']}.")


def _confirm(shown: dict[str, Any], verb: str, less: dict[str, str] | None) -> None:
    span = seconds_text(shown["duration_seconds"])
    what = f"{shown['role']} on {shown['target']} for {span}"
    if shown["extends"]:
        what += f" more, from {shown['since']} on ({shown['extends']})"
    if shown["start"]:
        what += f", from {shown['start']} on"
    fields = {
        "who": shown["person"],
        "what": what,
        "you give": " ".join(filter(None, less.values())) if less else "",
        "why": shown["reason"],
        "reason code": shown["reason_code"],
        "ticket": shown["ticket"],
        "incident": shown["incident"],
        "activities": shown["activities"],
        "changed": f"{shown['revision'] - 1} times" if shown["revision"] > 1 else "",
        "rule": shown["rules"],
        "digest": shown["digest"],
    }
    print_fields(fields)
    for said in shown["comments"]:
        kind = "asks" if said["question"] else "says"
        print_line(f"{said['number']} {said['person']} {kind}: {said['text']}")
    if not sys.stdin.isatty():
        raise SojournError(Code.INPUT_INVALID, problem="Nobody is there to ask back", expected="--yes")
    sys.stdout.write(f"{verb}? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise SojournError(Code.INPUT_INVALID, problem="Nothing was decided", expected="y")
