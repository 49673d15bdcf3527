"""What a message means to do, in words of the record: text, bound values and labels."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from sojourn.gateway.recorder import Intention

from .classify import classify
from .frontend import Bind, FunctionCall
from .vocabulary import VerbClass
from .wire import decode_text

PROTOCOL = "postgres"

PREPARE = "prepare"
"""The verb of a statement that was prepared and not run; running it is an action of its own."""


def statement_intention(sql: bytes, binds: Bind | None = None) -> Intention:
    """A statement by its text, with what was bound to it; labelled by PostgreSQL's own parser."""
    label = classify(decode_text(sql))
    detail = _text("text", sql)
    if binds is not None:
        detail["binds"] = _values(binds.values, binds.formats)
        detail["statement"] = decode_text(binds.statement)
        detail["portal"] = decode_text(binds.portal)
    return Intention(
        protocol=PROTOCOL,
        verb=label.verb,
        may_write=label.may_write,
        objects=label.tables,
        detail=_canonical(detail),
    )


def prepare_intention(name: bytes, sql: bytes) -> Intention:
    """A Parse alone: the target looks at the text and runs nothing."""
    label = classify(decode_text(sql))
    detail = _text("text", sql)
    detail["statement"] = decode_text(name)
    detail["prepare_only"] = True
    return Intention(protocol=PROTOCOL, verb=PREPARE, may_write=False, objects=label.tables, detail=_canonical(detail))


def named_intention(what: str, name: bytes, binds: Bind | None = None) -> Intention:
    """A statement or portal that is known to the target only (SQL PREPARE, a cursor): it may do anything."""
    detail: dict[str, object] = {what: decode_text(name)}
    if binds is not None:
        detail["binds"] = _values(binds.values, binds.formats)
        detail["portal"] = decode_text(binds.portal)
    return Intention(protocol=PROTOCOL, verb=VerbClass.PREPARED, may_write=True, objects=(), detail=_canonical(detail))


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
