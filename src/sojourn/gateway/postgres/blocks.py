"""What a DO block contains: the SQL in a body of PL/pgSQL, as PostgreSQL's own parser for that language finds it.

Only what stands in the text is found. SQL that is put together when the block runs (EXECUTE, OPEN FOR EXECUTE), other
languages and bodies that the parser does not take make a block one that may do more than was found.
"""

import re
from typing import Any, NamedTuple

import postgast

from sojourn.gateway.postgres.vocabulary import HARMLESS_STEPS

_STATEMENT, _ASSIGNMENTS = 0, frozenset({3, 4, 5})
"""How a query is to be read (`RawParseMode`): as a statement, as `target := expression`, else as an expression."""

_TARGET = re.compile(r"[^=]*=")


class Contents(NamedTuple):
    """The SQL texts in a block, in order; `whole` says that it does nothing else."""

    texts: tuple[str, ...]
    whole: bool


_UNREAD = Contents((), whole=False)


def contents(block: Any) -> Contents:
    """What is in a DO statement (the parser's `DoStmt`); never raises."""
    body, language = "", "plpgsql"
    for argument in block.args:
        if argument.def_elem.defname == "as":
            body = argument.def_elem.arg.string.sval
        elif argument.def_elem.defname == "language":
            language = argument.def_elem.arg.string.sval
    # With `#option dump` the parser prints the whole body, and nothing of a statement may get into a log.
    if language != "plpgsql" or ("#" in body and "dump" in body.lower()):
        return _UNREAD
    tag = "$sojourn$"
    while tag in body:
        tag = f"{tag[:-1]}x$"
    try:
        return _found(postgast.parse_plpgsql(f"DO {tag}{body}\n{tag}"))
    except (postgast.PgQueryError, ValueError, RecursionError):
        return _UNREAD


def _found(functions: list[dict[str, Any]]) -> Contents:
    texts: list[str] = []
    whole = True
    pending: list[Any] = [functions]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(reversed(item))
        elif isinstance(item, dict):
            for name in item:
                step = name.removeprefix("PLpgSQL_stmt_")
                if name == "dynquery" or (step != name and step not in HARMLESS_STEPS):
                    whole = False
            if "PLpgSQL_expr" in item:
                texts.append(_statement(item["PLpgSQL_expr"]))
            pending.extend(reversed(item.values()))
    return Contents(tuple(texts), whole)


def _statement(expression: dict[str, Any]) -> str:
    """An expression as a statement that computes it."""
    text, mode = str(expression["query"]), expression["parseMode"]
    if mode == _STATEMENT:
        return text
    return "SELECT " + (_TARGET.sub("", text, count=1) if mode in _ASSIGNMENTS else text)
