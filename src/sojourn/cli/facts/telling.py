"""What the commands that tell a fact share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_fields, print_json
from sojourn.domain.duration import parse_duration
from sojourn.errors import Code, SojournError


def tell(fact: str, subject: str, *, lasts: str, origin: str, common: Common, **more: Any) -> None:
    """Put a fact on record, and print it."""
    from sojourn.app.ambient import SystemClock

    until = (SystemClock().now() + _span(lasts)).isoformat()
    body = {"fact": fact, "subject": subject, "until": until, "origin": origin, **more}
    answered = call(common, "POST", "/facts", body)
    if common.json:
        print_json(answered)
        return
    shifts = [f"{one['person']} [{one['start']}, {one['end']})" for one in answered["shifts"]]
    print_fields({**answered, "kind": answered.pop("sort"), "shifts": shifts})


def _span(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise SojournError(Code.INPUT_INVALID, problem=str(error), expected="a duration such as 12h") from error


def shift(text: str) -> dict[str, str]:
    """PERSON=START/END as the body of a shift. Raises SojournError `input.invalid`."""
    person, _, span = text.partition("=")
    start, _, end = span.partition("/")
    try:
        if person and all(datetime.fromisoformat(one).tzinfo for one in (start, end)):
            return {"person": person, "start": start, "end": end}
    except ValueError:
        pass
    expected = "PERSON=START/END with offsets, such as alice=2026-12-01T08:00Z/2026-12-08T08:00Z"
    raise SojournError(Code.INPUT_INVALID, problem=f"{text[:80]!a} is no shift", expected=expected)
