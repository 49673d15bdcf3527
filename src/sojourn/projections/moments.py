"""How moments stand in the tables: RFC 3339 text in UTC with six digits, which sorts as time does."""

from __future__ import annotations

from datetime import UTC, datetime


def text(moment: datetime) -> str:
    """A moment as the tables hold it."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='microseconds')[:-6]}Z"
