"""Moments as people type them."""

from __future__ import annotations

from datetime import UTC, datetime

from sojourn.errors import Code, SojournError


def moment(option: str, given: str) -> datetime:
    """The moment that `option` names: a date, or a date and time; UTC unless it says otherwise.

    Raises SojournError `input.invalid`.
    """
    try:
        found = datetime.fromisoformat(given)
    except ValueError as error:
        expected = "a date like 2026-11-25 or a moment like 2026-11-25T07:30:00Z"
        raise SojournError(Code.INPUT_INVALID, problem=f"{option} {given} is no moment", expected=expected) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
