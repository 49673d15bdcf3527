"""What a message means to do, in words of the record: text, bound values and labels."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from sojourn.gateway.entries import Intention

from .classify import classify
from .frontend import Bind, FunctionCall
from .vocabulary import VerbClass
from .wire import decode_text

PROTOCOL = "postgres"


def statement_intention(
    sql: bytes, binds: Bind | None = None, *, others: Sequence[bytes] = (), certain: bool = True
) -> Intention:
    """A statement by its text, with what was bound to it; labelled by PostgreSQL's own parser.

    `others` are texts that the statement's name may stand for instead; `certain` is False when it may also stand for
    a statement that SQL PREPARE has made under that name.
    """
    label = classify(decode_text(sql))
    detail = _text("text", sql)
    if others:
        detail["or_instead"] = [_text("text", other) for other in others]
    if not certain:
        detail["prepared_in_sql"] = "possible"
    if binds is not None:
        detail["binds"] = _values(binds.values, binds.formats)
        detail["statement"] = decode_text(binds.statement)
        detail["portal"] = decode_text(binds.portal)
    return Intention(
        protocol=PROTOCOL,
        verb=label.verb,
        may_write=label.may_write or not certain or any(classify(decode_text(other)).may_write for other in others),
        objects=label.tables,
        detail=_canonical(detail),
    )


def commit_intention() -> Intention:
    """The commit at a Sync (deferred constraints are checked there), which has no message of its own."""
    return Intention(
        protocol=PROTOCOL,
        verb=VerbClass.TRANSACTION,
        may_write=True,
        objects=(),
        detail=_canonical({"commit": "at Sync"}),
    )


def named_intention(what: str, name: bytes) -> Intention:
    """A statement or portal that is known to the target only (SQL PREPARE, a cursor): it may do anything."""
    return Intention(
        protocol=PROTOCOL,
        verb=VerbClass.PREPARED,
        may_write=True,
        objects=(),
        detail=_canonical({what: decode_text(name)}),
    )


def function_intention(called: FunctionCall) -> Intention:
    """A call by the fast path, which names a function by its object id."""
    detail: dict[str, object] = {"function_oid": called.function, "binds": _values(called.values, called.formats)}
    return Intention(
        protocol=PROTOCOL, verb=VerbClass.PROCEDURAL, may_write=True, objects=(), detail=_canonical(detail)
    )


def _text(name: str, raw: bytes) -> dict[str, object]:
    """Text if it is UTF-8, otherwise its exact bytes in base64."""
    try:
        return {name: raw.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(raw).decode()}


def _values(values: Sequence[bytes | None], formats: Sequence[int]) -> list[object]:
    found: list[object] = []
    for place, value in enumerate(values):
        binary = bool(formats) and formats[min(place, len(formats) - 1)] == 1
        if value is None:
            found.append(None)
        elif binary:
            found.append({"base64": base64.b64encode(value).decode()})
        else:
            found.append(_text("text", value))
    return found


def _canonical(detail: dict[str, object]) -> bytes:
    return msgspec.json.encode(detail, order="sorted")
