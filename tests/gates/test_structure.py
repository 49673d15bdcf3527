"""The shape of the house: small rooms, and nothing left lying about."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
VERIFIER = "sojourn_verify.py"
VERIFIER_LINES_MAX = 500
"""A stranger carries it to another machine and reads it there from top to bottom. Counted are lines of code: not the
empty ones, comments and docstrings that make it readable."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _lines_of_code(source: str) -> int:
    beside = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = [one for one in tokenize.generate_tokens(io.StringIO(source).readline) if one.type not in beside]
    counted = {line for one in tokens for line in range(one.start[0], one.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            counted -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(counted)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_module_is_small_enough_to_be_read_at_once(path: Path) -> None:
    verifier = path.name == VERIFIER
    limit = VERIFIER_LINES_MAX if verifier else MODULE_LINES_MAX
    lines = _lines_of_code(path.read_text()) if verifier else len(path.read_text().splitlines())
    assert lines <= limit, f"{_name(path)} has {lines} lines; {limit} are allowed"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES_MAX, f"{_name(path)}:{node.lineno} {node.name} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_public_things_say_what_they_are_for(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{_name(path)} has no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{_name(path)}:{node.lineno} {node.name} has no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{_name(path)}:{node.lineno} {node.name} has no docstring"
