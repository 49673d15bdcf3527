"""The page about OWASP ASVS: whole, in known words, and resting on what is there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "security" / "asvs.md").read_text())
STATES = ("met", "partly", "not", "n.a.")
NUMBERS = [number for number, *_ in ROWS]


def test_no_line_is_there_twice_and_they_are_in_order() -> None:
    assert not [number for number, times in Counter(NUMBERS).items() if times > 1]
    assert sorted(NUMBERS, key=lambda number: [int(part) for part in number.split(".")]) == NUMBERS


def test_every_chapter_of_the_standard_is_there() -> None:
    assert {int(number.split(".")[0]) for number in NUMBERS} == set(range(1, 18))


@pytest.mark.parametrize("row", ROWS, ids=NUMBERS)
def test_a_line_says_how_it_stands_and_names_what_is_there(row: tuple[str, str, str, str]) -> None:
    number, _, state, where = row
    assert state in STATES, number
    if state in ("met", "partly"):
        assert where, f"{number} rests on nothing"
    for named in re.findall(r"`([^`]+)`", where):
        path = named.replace("web/", "src/sojourn/web/", 1) if named.startswith("web/") else named
        if "/" in path and " " not in path:
            assert (ROOT / path).exists(), f"{number} names {named}"
