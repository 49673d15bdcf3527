"""What a statement is, from PostgreSQL's own parser: a label for records, searches and reviews. Never the guard.

- The guard is the role in the target. A label may be wrong, so it errs towards "may write".
- `may_write` is False only where every part of the statement stands on a list of what is known to be harmless.
- What cannot be parsed, or is too long to be parsed safely, is `unparsed` and may write. A statement is judged whole
  or not at all, never by its beginning.
- A DO block is judged by the SQL in its body, as far as that can be read there.
- Not visible here: what a view, a rule, a trigger, a cast or a function does inside.

The parser is C and recurses: a chain of operators costs about 500 bytes of stack each. 8 KiB of text cannot use more
than 2 MiB, a quarter of a usual thread's stack; at 64 KiB a hostile text ends the process. Hence the limit.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import postgast
from google.protobuf.message import DecodeError

from sojourn.gateway.postgres.blocks import contents
from sojourn.gateway.postgres.survey import COLUMNS_MAX, TABLES_MAX, Survey, survey
from sojourn.gateway.postgres.vocabulary import (
    HARMLESS_ROOTS,
    HARMLESS_SETTINGS,
    ROOT_CLASSES,
    VerbClass,
)

TEXT_BYTES_MAX = 8_192
"""Longer texts are not parsed; see the module's docstring."""

_MEMO_ENTRIES = 1_024
_IDENTITY_SETTINGS = frozenset({"role", "session_authorization"})
_FUNCTION_RANK = (
    VerbClass.PRIVILEGE,
    VerbClass.OUTBOUND,
    VerbClass.ADMIN,
    VerbClass.WRITE,
    VerbClass.SESSION,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a text of one or more statements is.

    `statements` counts them (zero if not parsed), `tables` and `columns` name what they touch by name, at most 64 each.
    """

    verb: VerbClass
    may_write: bool
    statements: int
    tables: tuple[str, ...]
    parsed: bool
    columns: tuple[str, ...] = ()


_UNPARSED = Label(verb=VerbClass.UNPARSED, may_write=True, statements=0, tables=(), parsed=False)
_REPLICATION = Label(verb=VerbClass.REPLICATION, may_write=True, statements=0, tables=(), parsed=False)

_REPLICATION_COMMAND = re.compile(
    r"\s*(?:IDENTIFY_SYSTEM|READ_REPLICATION_SLOT|BASE_BACKUP|START_REPLICATION|(?:CREATE|ALTER|DROP)_REPLICATION_SLOT"
    r"|TIMELINE_HISTORY|UPLOAD_MANIFEST)\b",
    re.IGNORECASE | re.ASCII,
)
"""The commands of the replication protocol (manual section 54.4). The server knows them by their first word alone, and
takes the whole text for one command; anywhere else such a text is a syntax error."""


_MANIPULATION = re.compile(r"\s*(?:select|insert|update|delete)\b", re.IGNORECASE)
_MATTERS = ('"', "$", "\\", ";", "--", "/*")
"""Where a constant may be more than a constant: quoted names, dollar quotes and parameters, escapes, further
statements, comments (an apostrophe in one begins no string). Also `set_config`, whose argument decides the label."""

_STRING = re.compile(r"'[^']*'")
_NUMBER = re.compile(r"\b[0-9]+\b")


def classify(sql: str) -> Label:
    """Label a text; never raises. A text seen lately is answered from a bounded memo."""
    # One character is at least one byte, so this bounds the work before anything is encoded.
    if len(sql) > TEXT_BYTES_MAX:
        return _UNPARSED
    return _label(without_constants(sql))


def without_constants(sql: str) -> str:
    """A text with the same label in which plain constants are all alike, so that the memo knows it again.

    Only for single statements in ASCII of the four kinds whose label hangs on no constant; any other text comes back
    as it is.
    """
    body = sql.rstrip("; \n")
    if not body.isascii() or _MANIPULATION.match(body) is None or "set_config" in body.lower():
        return sql
    for mark in _MATTERS:
        if mark in body:
            return sql
    return _NUMBER.sub("1", _STRING.sub("''", body) if "'" in body else body)


@lru_cache(maxsize=_MEMO_ENTRIES)
def _label(sql: str) -> Label:
    # The parser takes a C string and would stop at a NUL.
    if "\0" in sql:
        return _UNPARSED
    try:
        if len(sql.encode()) > TEXT_BYTES_MAX:
            return _UNPARSED
        tree = postgast.parse(sql)
    except (postgast.PgQueryError, DecodeError, UnicodeError):
        return _REPLICATION if _REPLICATION_COMMAND.match(sql) else _UNPARSED
    verbs: set[VerbClass] = set()
    tables: dict[str, None] = {}
    columns: dict[str, None] = {}
    may_write = False
    for raw in tree.stmts:
        found = survey(raw.stmt)
        verb, writes = _judge(raw.stmt, found)
        verbs.add(verb)
        may_write = may_write or writes
        tables |= found.tables
        columns |= found.columns
    match len(verbs):
        case 0:
            verb = VerbClass.EMPTY
        case 1:
            verb = verbs.pop()
        case _:
            verb = VerbClass.MIXED
    return Label(
        verb=verb,
        may_write=may_write,
        statements=len(tree.stmts),
        tables=tuple(tables)[:TABLES_MAX],
        parsed=True,
        columns=tuple(columns)[:COLUMNS_MAX],
    )


def _judge(node: Any, found: Survey) -> tuple[VerbClass, bool]:
    """Return the class of one statement and whether it may write."""
    kind = node.WhichOneof("node") or ""
    match kind:
        case "select_stmt":
            return _judge_select(found)
        case "explain_stmt":
            return _judge_explain(node.explain_stmt, found)
        case "copy_stmt":
            copy = node.copy_stmt
            if copy.is_from:
                return VerbClass.COPY_IN, True
            return VerbClass.COPY_OUT, bool(copy.filename) or copy.is_program or _effects(found)
        case "do_stmt":
            return VerbClass.PROCEDURAL, _block_writes(node.do_stmt, found)
        case "declare_cursor_stmt":
            return _judge(node.declare_cursor_stmt.query, found)
        case "prepare_stmt":
            return VerbClass.PREPARED, _judge(node.prepare_stmt.query, found)[1]
        case "transaction_stmt":
            return VerbClass.TRANSACTION, _transaction_writes(node.transaction_stmt)
        case "variable_set_stmt":
            return _judge_setting(node.variable_set_stmt)
        case _:
            return ROOT_CLASSES.get(kind, VerbClass.ADMIN), kind not in HARMLESS_ROOTS


def _block_writes(block: Any, found: Survey) -> bool:
    """Judge the SQL in a DO block, and add to `found` what it names."""
    inside = contents(block)
    writes = not inside.whole
    for text in inside.texts:
        try:
            tree = postgast.parse(text)
        except (postgast.PgQueryError, DecodeError, UnicodeError):
            writes = True
            continue
        for raw in tree.stmts:
            one = survey(raw.stmt)
            # A block in a block is not looked into.
            writes = writes or raw.stmt.HasField("do_stmt") or _judge(raw.stmt, one)[1]
            found.tables |= one.tables
            found.columns |= one.columns
    return writes


def _effects(found: Survey) -> bool:
    return found.changes or found.locks or found.creates or found.unknown


def _judge_select(found: Survey) -> tuple[VerbClass, bool]:
    for verb in _FUNCTION_RANK[:3]:
        if verb in found.function_classes:
            return verb, True
    if found.creates:
        return VerbClass.DDL, True
    if found.changes:
        return VerbClass.WRITE, True
    for verb in _FUNCTION_RANK[3:]:
        if verb in found.function_classes:
            return verb, True
    return VerbClass.READ, _effects(found)


def _judge_explain(explain: Any, found: Survey) -> tuple[VerbClass, bool]:
    """EXPLAIN plans, and planning may run functions; with ANALYZE it does what the statement does."""
    analyze = False
    for option in explain.options:
        if option.def_elem.defname == "analyze":
            analyze = _is_on(option.def_elem)
    if analyze:
        return _judge(explain.query, found)
    return VerbClass.READ, found.unknown


def _is_on(option: Any) -> bool:
    """Read a boolean option as PostgreSQL does; what is neither on nor off counts as on."""
    if not option.HasField("arg"):
        return True
    argument = option.arg
    if argument.WhichOneof("node") == "integer":
        return bool(argument.integer.ival)
    if argument.WhichOneof("node") == "boolean":
        return bool(argument.boolean.boolval)
    return argument.string.sval.lower() not in ("false", "off")


_PLAIN_TRANSACTIONS = frozenset(
    {
        "TRANS_STMT_BEGIN",
        "TRANS_STMT_START",
        "TRANS_STMT_COMMIT",
        "TRANS_STMT_ROLLBACK",
        "TRANS_STMT_SAVEPOINT",
        "TRANS_STMT_RELEASE",
        "TRANS_STMT_ROLLBACK_TO",
    }
)


def _transaction_writes(transaction: Any) -> bool:
    """Two-phase commits write, and so does asking for READ WRITE; the rest only frames other statements."""
    kind = transaction.DESCRIPTOR.fields_by_name["kind"].enum_type.values_by_number[transaction.kind].name
    return kind not in _PLAIN_TRANSACTIONS or _asks_to_write(transaction.options)


def _asks_to_write(options: Any) -> bool:
    return any(
        option.def_elem.defname == "transaction_read_only" and not option.def_elem.arg.a_const.ival.ival
        for option in options
    )


def _judge_setting(setting: Any) -> tuple[VerbClass, bool]:
    """SET, SET TRANSACTION, RESET: harmless for a few settings, privilege for who one is, otherwise it may write."""
    name = setting.name.lower()
    if name in _IDENTITY_SETTINGS:
        return VerbClass.PRIVILEGE, True
    if name in ("transaction", "session characteristics", "transaction snapshot"):
        return VerbClass.TRANSACTION, _asks_to_write(setting.args)
    return VerbClass.SESSION, name not in HARMLESS_SETTINGS
