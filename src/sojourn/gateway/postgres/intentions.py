"""What a message means to do, in words of the record: text, bound values and labels."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import msgspec

from sojourn.domain.tuples import maker
from sojourn.gateway.entries import Intention

from .classify import TEXT_BYTES_MAX, Label, classify
from .frontend import Bind, FunctionCall
from .vocabulary import VerbClass
from .wire import decode_text

PROTOCOL = "postgres"
_MEMO_ENTRIES = 1_024
_NAMES_BYTES_MAX = 256
_PREPARE = re.compile(rb"\bprepare\b", re.IGNORECASE)
_encode = msgspec.json.Encoder(order="sorted").encode
_intention = maker(Intention)


def statement_intention(
    sql: bytes, binds: Bind | None = None, *, others: Sequence[bytes] = (), certain: bool = True
) -> Intention:
    """A statement by its text, with what was bound to it; labelled by PostgreSQL's own parser.

    `others` are texts that the statement's name may stand for instead; `certain` is False when it may also stand for
    a statement that SQL PREPARE has made under that name.
    """
    text = known_text(sql)
    if others or not certain:
        label, detail = _unsure(sql, text.label, binds, others, certain)
    elif binds is None:
        label, detail = text.label, b"{" + text.columns + text.member + b"}"
    else:
        # The members in canonical order; the text's own name is the last of them.
        values = _encode(_values(binds.values, binds.formats))
        label = text.label
        names = _names(binds.portal, binds.statement)
        detail = b'{"binds":%b,%b%b,%b}' % (values, text.columns, names, text.member)
    return _intention((PROTOCOL, label.verb, label.may_write, label.tables, detail))


def _unsure(
    sql: bytes, label: Label, binds: Bind | None, others: Sequence[bytes], certain: bool
) -> tuple[Label, bytes]:
    """Label and detail of a statement whose name may stand for something else."""
    detail = _text("text", sql)
    if label.columns:
        detail["columns"] = label.columns
    if others:
        detail["or_instead"] = [_text("text", other) for other in others]
    if not certain:
        detail["prepared_in_sql"] = "possible"
    if binds is not None:
        detail["binds"] = _values(binds.values, binds.formats)
        detail["statement"] = decode_text(binds.statement)
        detail["portal"] = decode_text(binds.portal)
    may_write = label.may_write or not certain or any(known_text(other).label.may_write for other in others)
    return replace(label, may_write=may_write), _encode(detail)


def _names(portal: bytes, statement: bytes) -> bytes:
    short = len(portal) + len(statement) <= _NAMES_BYTES_MAX
    return _seen_names(portal, statement) if short else _new_names(portal, statement)


def _new_names(portal: bytes, statement: bytes) -> bytes:
    return _encode({"portal": decode_text(portal), "statement": decode_text(statement)})[1:-1]


_seen_names = lru_cache(maxsize=_MEMO_ENTRIES)(_new_names)


class Text(NamedTuple):
    """What is known of a statement's text: its label, its members in the record, and whether it may be a PREPARE.

    `columns` is empty, or a member and the comma after it. They are sealed with the text: a value in the wrong quotes
    is a column.
    """

    label: Label
    columns: bytes
    member: bytes
    prepares: bool


def known_text(sql: bytes) -> Text:
    """What there is to know of a text; one seen lately, and not too long, is answered from a bounded memo."""
    return _seen_text(sql) if len(sql) <= TEXT_BYTES_MAX else _new_text(sql)


def _new_text(sql: bytes) -> Text:
    label = classify(decode_text(sql))
    return Text(
        label,
        b'"columns":%b,' % _encode(label.columns) if label.columns else b"",
        _encode(_text("text", sql))[1:-1],
        b"prepare" in sql.lower() and _PREPARE.search(sql) is not None,
    )


_seen_text = lru_cache(maxsize=_MEMO_ENTRIES)(_new_text)


def commit_intention() -> Intention:
    """The commit at a Sync (deferred constraints are checked there), which has no message of its own."""
    return Intention(
        protocol=PROTOCOL,
        verb=VerbClass.TRANSACTION,
        may_write=True,
        objects=(),
        detail=_encode({"commit": "at Sync"}),
    )


def portal_intention(name: bytes) -> Intention:
    """A portal that is known to the target only (a cursor): it may do anything."""
    return _unknown({"portal": decode_text(name)})


def unknown_statement_intention(bound: Bind) -> Intention:
    """What was bound to a statement that is known to the target only (SQL PREPARE): it may do anything."""
    values = _values(bound.values, bound.formats)
    named = {"portal": decode_text(bound.portal), "statement": decode_text(bound.statement)}
    return _unknown({"binds": values, **named})


def _unknown(detail: dict[str, object]) -> Intention:
    return Intention(PROTOCOL, VerbClass.PREPARED, True, (), _encode(detail))


def function_intention(called: FunctionCall) -> Intention:
    """A call by the fast path, which names a function by its object id."""
    detail: dict[str, object] = {"function_oid": called.function, "binds": _values(called.values, called.formats)}
    return Intention(protocol=PROTOCOL, verb=VerbClass.PROCEDURAL, may_write=True, objects=(), detail=_encode(detail))


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
