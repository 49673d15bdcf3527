"""One walk through the syntax tree of a statement: which tables, columns, functions and operators it names.

Iterative, so that depth costs no stack. A name that a WITH query defines is no table where that name is in scope, and
only there: `WITH users AS (SELECT * FROM users) ...` still reads the table.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from sojourn.gateway.postgres.vocabulary import (
    FUNCTION_CLASSES,
    HARMLESS_FUNCTIONS,
    HARMLESS_OPERATORS,
    VerbClass,
)

TABLES_MAX = 64
COLUMNS_MAX = 64
_CHANGES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_WITH_BEARERS = _CHANGES | {"SelectStmt"}
_LEAVES = frozenset({"ColumnRef", "A_Const", "TypeName", "String", "Integer", "ParamRef", "A_Star"})
"""Nodes below which no table, function or operator can be named."""

_COLUMN_LISTS = {
    "InsertStmt": "cols",
    "UpdateStmt": "target_list",
    "OnConflictClause": "target_list",
    "MergeWhenClause": "target_list",
    "CopyStmt": "attlist",
}
"""Where a node names columns otherwise than by referring to them."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*", re.ASCII)
_IDENTITY_SETTINGS = frozenset({"role", "session_authorization"})
_NOTHING: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Survey:
    """What one statement contains; `unknown` is set by a function or operator not known to be harmless.

    `columns` have no table before them: which one is meant only the target knows. All of them are `*`.
    """

    tables: dict[str, None] = field(default_factory=dict)
    columns: dict[str, None] = field(default_factory=dict)
    function_classes: set[VerbClass] = field(default_factory=set)
    changes: bool = False
    locks: bool = False
    creates: bool = False
    unknown: bool = False


def survey(statement: Message) -> Survey:
    """Walk one statement."""
    found = Survey()
    pending: list[tuple[Any, frozenset[str]]] = [(statement, _NOTHING)]
    while pending:
        node, scope = pending.pop()
        name = node.DESCRIPTOR.name
        if name in _LEAVES:
            if name == "ColumnRef":
                _look_at_column(node, found)
            continue
        if name in _LOOKS:
            _LOOKS[name](node, scope, found)
        elif name in _CHANGES:
            found.changes = True
        if name in _COLUMN_LISTS:
            _look_at_list(getattr(node, _COLUMN_LISTS[name]), found)
        fields = node.ListFields()
        if name in _WITH_BEARERS and node.HasField("with_clause"):
            scope = _enter_with(node, scope, pending)
        for descriptor, value in reversed(fields):
            if descriptor.message_type is None or descriptor.name == "with_clause":
                continue
            inner = _NOTHING if name in _CHANGES and descriptor.name == "relation" else scope
            if isinstance(value, Message):
                pending.append((value, inner))
            else:
                pending.extend([(item, inner) for item in reversed(value)])
    return found


def _enter_with(node: Any, scope: frozenset[str], pending: list[tuple[Any, frozenset[str]]]) -> frozenset[str]:
    """Queue the WITH queries, each with the names it can see; return the scope of the statement's body."""
    clause = node.with_clause
    expressions = [item.common_table_expr for item in clause.ctes]
    names = [expression.ctename for expression in expressions]
    for index, expression in enumerate(expressions):
        visible = names if clause.recursive else names[:index]
        pending.append((expression, scope.union(visible)))
    return scope.union(names)


def _look_at_column(node: Any, found: Survey) -> None:
    last = node.fields[-1] if node.fields else None
    if last is not None:
        _note_column(found, "*" if last.WhichOneof("node") == "a_star" else last.string.sval)


def _look_at_list(named: Any, found: Survey) -> None:
    """The columns that a statement names to write to, or to copy."""
    for item in named[:COLUMNS_MAX]:
        _note_column(found, item.res_target.name if item.WhichOneof("node") == "res_target" else item.string.sval)


def _note_column(found: Survey, name: str) -> None:
    if name and len(found.columns) < COLUMNS_MAX:
        found.columns[name] = None


def _look_at_table(node: Any, scope: frozenset[str], found: Survey) -> None:
    if (node.schemaname or node.relname not in scope) and len(found.tables) < TABLES_MAX:
        found.tables[qualified(part for part in (node.catalogname, node.schemaname, node.relname) if part)] = None


def _look_at_drop(node: Any, scope: frozenset[str], found: Survey) -> None:
    for item in node.objects[:TABLES_MAX]:
        if item.WhichOneof("node") == "list" and len(found.tables) < TABLES_MAX:
            found.tables[qualified(part.string.sval for part in item.list.items)] = None


def _look_at_function(node: Any, scope: frozenset[str], found: Survey) -> None:
    parts = [part.string.sval for part in node.funcname]
    built_in = len(parts) == 1 or parts[:-1] == ["pg_catalog"]
    name = parts[-1] if parts else ""
    if built_in and name in HARMLESS_FUNCTIONS:
        return
    found.unknown = True
    if built_in and name in FUNCTION_CLASSES:
        verb = FUNCTION_CLASSES[name]
        if name == "set_config" and (not node.args or _names_identity(node.args[0])):
            verb = VerbClass.PRIVILEGE
        found.function_classes.add(verb)


def _names_identity(argument: Any) -> bool:
    """Whether the setting is who one is, or cannot be told from the text."""
    if argument.WhichOneof("node") != "a_const":
        return True
    return argument.a_const.sval.sval.lower() in _IDENTITY_SETTINGS


def _look_at_operator(node: Any, scope: frozenset[str], found: Survey) -> None:
    parts = [part.string.sval for part in node.name]
    if not parts:
        return
    built_in = len(parts) == 1 or parts[:-1] == ["pg_catalog"]
    symbolic = not parts[-1][:1].isalpha()
    if not built_in or (symbolic and parts[-1] not in HARMLESS_OPERATORS):
        found.unknown = True


def _look_at_lock(node: Any, scope: frozenset[str], found: Survey) -> None:
    found.locks = True


def _look_at_into(node: Any, scope: frozenset[str], found: Survey) -> None:
    found.creates = True


_LOOKS = {
    "RangeVar": _look_at_table,
    "DropStmt": _look_at_drop,
    "FuncCall": _look_at_function,
    "A_Expr": _look_at_operator,
    "LockingClause": _look_at_lock,
    "IntoClause": _look_at_into,
}


def qualified(parts: Any) -> str:
    """Join the parts of a name with dots; a part that needs quotes gets them."""
    return ".".join(part if _PLAIN.fullmatch(part) else '"' + part.replace('"', '""') + '"' for part in parts)
