"""How values read on a page: times, durations, states and texts that would fool a reader."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from sojourn.evidence.escape import visible

BYTES_SHOWN = 256

STATES = {
    "pending": "waiting",
    "approved": "good",
    "active": "good",
    "provisioning": "waiting",
    "activated": "done",
    "removed": "done",
    "ended": "waiting",
    "denied": "bad",
    "expired": "done",
    "withdrawn": "done",
    "failed": "bad",
    "overdue": "bad",
    "open": "good",
    "closed": "done",
    "completed": "done",
    "running": "waiting",
    "interrupted": "bad",
    "skipped": "waiting",
}
"""The tone in which a state is shown; colour never says what the word beside it does not."""


def moment(given: str | datetime | None) -> Markup:
    """A moment in UTC, which the page's script also shows in the reader's zone; a dash for none."""
    if given is None or given == "":
        return Markup("<span class='none'>&ndash;</span>")
    at = given if isinstance(given, datetime) else datetime.fromisoformat(given)
    return Markup("<time datetime='{}'>{:%Y-%m-%d %H:%M} UTC</time>").format(at.isoformat(), at)


def second(given: str) -> Markup:
    """A moment to the second in UTC."""
    at = datetime.fromisoformat(given)
    return Markup("<time class='short' datetime='{}'>{:%H:%M:%S}</time>").format(at.isoformat(), at)


def span(seconds: float) -> str:
    """A length of time in words: `1 h 30 min`, `45 s`."""
    left = round(seconds)
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def took(microseconds: int | None) -> str:
    """How long something took: `340 µs`, `12.5 ms`, `3.2 s`, or in words when it was long; a dash for not yet."""
    if microseconds is None:
        return "\N{EN DASH}"
    for size, unit in ((1_000_000, "s"), (1_000, "ms")):
        if microseconds >= size:
            return span(microseconds / 1e6) if microseconds >= 100 * 1_000_000 else f"{microseconds / size:.1f} {unit}"
    return f"{microseconds} µs"


def hexed(base64_text: str) -> str:
    """Bytes that are no text as PostgreSQL writes them (`\\x0011`), the first of them when they are many."""
    held = b64decode(base64_text)
    return "\\x" + held[:BYTES_SHOWN].hex() + (f"… ({len(held)} bytes)" if len(held) > BYTES_SHOWN else "")


def left(until: str, now: datetime) -> timedelta:
    """How long it is from `now` to `until`, never below zero."""
    return max(datetime.fromisoformat(until) - now, timedelta())


def tone(state: str) -> str:
    """The tone of a state."""
    return STATES.get(state, "done")


def word(name: str) -> str:
    """A name of the record as a word: `approve_less` reads `approve less`."""
    return name.replace("_", " ")


def harmless(value: object) -> object:
    """What a template writes: in every text, what could fool a reader is shown as an escape (before HTML's own)."""
    return visible(value, keep_lines=True) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def asset(name: str) -> str:
    """The address of a vendored file; it names the content, so that a browser may keep it for ever."""
    content = files("sojourn.web.pages").joinpath("static", name).read_bytes()
    return f"/static/{hashlib.sha256(content).hexdigest()[:16]}/{name}"


FILTERS: dict[str, Callable[..., Any]] = {
    "moment": moment,
    "second": second,
    "hexed": hexed,
    "span": span,
    "took": took,
    "tone": tone,
    "word": word,
}
