"""A recording, read from the API part by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sojourn.domain import cast
from sojourn.errors import Code, SojournError

from .client import call, place
from .common import Common


def parts(common: Common, session: str, action: int, after: int = 0) -> Iterator[dict[str, Any]]:
    """Each answer of the API, until there are no more parts now."""
    while True:
        params = {"action": str(action), "after": str(after)}
        answered: dict[str, Any] = call(common, "GET", place("sessions", session, "recording"), params=params)
        if not answered["recorded"]:
            raise SojournError(Code.RECORDING_NONE, session=session)
        yield answered
        action = answered["action"]
        after = max((one["part"] for one in answered["parts"]), default=after)
        if not answered["more"]:
            return


def lines_of(answered: dict[str, Any]) -> Iterator[str]:
    """The lines of an answer; a part that was destroyed is a marker."""
    for part in answered["parts"]:
        if part["readable"]:
            yield from part["lines"]
        else:
            yield cast.event(0.0, "m", f"part {part['part']} was destroyed by key")
