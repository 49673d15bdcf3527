"""What the API answers about what was said and shown in a session."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BindShown:
    """A value that was bound to a statement. `kind` is text, null or base64 (for what is no text)."""

    number: int
    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOpened:
    """What one action said. That it was opened, and for whom, is on record.

    `text` is the statement or command, and `binds` what was bound to it; `instead` are texts that the statement's name
    may have stood for; `details` is the rest as JSON. `message` is what the target answered to an action that failed.
    What was destroyed by key is not `readable`, and empty here.
    """

    session: str
    number: int
    verb: str
    readable: bool
    text: str
    binds: tuple[BindShown, ...]
    instead: tuple[str, ...]
    details: dict[str, str]
    message: str
