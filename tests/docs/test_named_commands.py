"""Messages and pages name only commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sojourn.cli import COMMANDS, GROUPS
from sojourn.meanings import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))


def _missing(text: str) -> list[str]:
    """What `text` calls a command of ours that is none."""
    named = re.findall(r"(?:`|^)sojourn ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", text, re.MULTILINE)
    return [
        f"{first} {second}".strip()
        for first, second in named
        if first not in COMMANDS and not (first in GROUPS and (not second or f"{first} {second}" in COMMANDS))
    ]


def test_every_message_names_only_commands_that_exist() -> None:
    wrong = {
        code: missing
        for code, meaning in CATALOGUE.items()
        if (missing := _missing(f"{meaning.sentence} {meaning.next_step}"))
    }
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_how_to_names_only_commands_that_exist(page: Path) -> None:
    assert _missing(page.read_text()) == []


def test_a_command_that_does_not_exist_is_found() -> None:
    assert _missing("Run `sojourn reviw list`, or `sojourn review lst`.") == ["reviw list", "review lst"]
