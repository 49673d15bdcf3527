"""What callers send: the JSON bodies of the API, each refused as a whole if a field is unknown, missing or mistyped.

These are structs and not dataclasses because only structs can refuse a field that nobody knows.
"""

from __future__ import annotations

from msgspec import Struct


class SignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person shows who they are."""

    person: str
    password: str


class Enrol(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invited person redeems the code and chooses a password."""

    person: str
    code: str
    password: str


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person asks for access. `duration` is a text such as `30m`."""

    target: str
    role: str
    duration: str
    reason: str = ""


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An approver decides about what was shown to them, which `digest` names."""

    digest: str
    comment: str = ""


class ConnectionAsk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person wants to connect now. `role` is needed only when several of their grants could be meant."""

    role: str = ""


class Reason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is done; it is sealed."""

    reason: str = ""


class Absence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person is away until `end`, from `start` (now if empty) on. Moments are RFC 3339 with their offset."""

    end: str
    start: str = ""
    delegate: str = ""


class Nothing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An empty object: the address says it all. An empty body is taken as one."""
