"""What a directory sends, read: filters, PATCH operations and values, in the RFC's form and as directories write it.

Entra ID writes operations in capitals, booleans as text and the members to remove as values; Okta sends attributes
without a path. All of them mean the same here. Attributes that nothing here keeps are passed over. No I/O.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sojourn.errors import Code, SojournError

OPERATIONS_MAX = 1000
TEXT_MAX = 200
_TERM = re.compile(r'\s*([A-Za-z][\w.:$-]*)\s+([A-Za-z]{2})(?:\s+("(?:[^"\\]|\\.)*"|true|false))?\s*', re.ASCII)
_MEMBER = re.compile(r'members\[\s*value\s+eq\s+("(?:[^"\\]|\\.)*")\s*\]', re.IGNORECASE)
_SCHEMA = re.compile(r"urn:ietf:params:scim:schemas:[^ ]*:(?=[A-Za-z]+$)", re.IGNORECASE)
FILTERED = ("id", "username", "externalid", "displayname", "active", "members", "members.value")

Json = Mapping[str, Any]


class Op(StrEnum):
    """What a PATCH does with an attribute."""

    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison of a filter; the attribute in small letters and without its schema."""

    attribute: str
    value: str | bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One attribute (in small letters) that a PATCH changes."""

    op: Op
    attribute: str
    value: Any


def read_filter(text: str) -> tuple[Term, ...]:
    """The comparisons that have to hold (RFC 7644, 3.4.2.2): `eq`, joined by `and`.

    Raises SojournError `directory.filter_invalid` for everything else.
    """
    terms: list[Term] = []
    place = 0
    while True:
        found = _TERM.match(text, place)
        if found is None or found[3] is None or found[2].lower() != "eq":
            raise _filter(text)
        attribute = _SCHEMA.sub("", found[1]).lower()
        if attribute not in FILTERED:
            raise _filter(text)
        terms.append(Term(attribute, _json(found[3], text)))
        place = found.end()
        if place == len(text):
            return tuple(terms)
        if text[place : place + 4].lower() != "and ":
            raise _filter(text)
        place += 4


def read_patch(body: Json) -> tuple[Operation, ...]:
    """The operations of a PATCH (RFC 7644, 3.5.2). Raises SojournError `directory.value_invalid`."""
    sent = field(body, "operations")
    if not isinstance(sent, list) or not 0 < len(sent) <= OPERATIONS_MAX:
        raise invalid(f"a PATCH has `Operations`, 1 to {OPERATIONS_MAX}")
    found: list[Operation] = []
    for one in sent:
        op = field(one, "op") if isinstance(one, dict) else None
        if not isinstance(op, str) or op.lower() not in tuple(Op):
            raise invalid("an operation is `add`, `replace` or `remove`")
        found += _operations(Op(op.lower()), field(one, "path"), field(one, "value"))
    return tuple(found)


def _operations(op: Op, path: object, value: object) -> list[Operation]:
    if path is None:
        if not isinstance(value, dict) or op is Op.REMOVE:
            raise invalid("an operation without a `path` adds or replaces the attributes of an object")
        return [Operation(op, _SCHEMA.sub("", name).lower(), each) for name, each in value.items()]
    if not isinstance(path, str):
        raise invalid("a `path` is a text")
    named = _SCHEMA.sub("", path)
    member = _MEMBER.fullmatch(named)
    if member is not None:
        if op is not Op.REMOVE:
            raise invalid("a single member is only removed")
        return [Operation(op, "members", [{"value": _json(member[1], path)}])]
    return [Operation(op, named.lower(), value)]


def field(body: Json, name: str) -> Any:
    """An attribute, by its name in whatever letters (RFC 7643, 2.1); None where there is none."""
    return next((value for key, value in body.items() if key.lower() == name), None)


def boolean(value: object) -> bool:
    """True or false, also as text. Raises SojournError `directory.value_invalid`."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise invalid("`active` is true or false")


def text(value: object, name: str) -> str:
    """A text of bounded length; "" for none. Raises SojournError `directory.value_invalid`."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > TEXT_MAX or any(letter < " " for letter in value):
        raise invalid(f"`{name}` is a text of at most {TEXT_MAX} characters")
    return value


def members(value: object) -> frozenset[str]:
    """The ids of members. Raises SojournError `directory.value_invalid`."""
    listed = [value] if isinstance(value, dict) else [] if value is None else value
    if not isinstance(listed, list):
        raise invalid("`members` is a list")
    ids = [field(one, "value") if isinstance(one, dict) else one for one in listed]
    if not all(isinstance(one, str) for one in ids):
        raise invalid("each of the `members` has a `value`")
    return frozenset(ids)


def invalid(problem: str) -> SojournError:
    """The refusal of what cannot be taken."""
    return SojournError(Code.DIRECTORY_VALUE, problem=problem)


def _json(quoted: str, whole: str) -> Any:
    try:
        return json.loads(quoted)
    except ValueError as error:
        raise _filter(whole) from error


def _filter(text: str) -> SojournError:
    return SojournError(Code.DIRECTORY_FILTER, filter=text[:TEXT_MAX], attributes=", ".join(FILTERED))
