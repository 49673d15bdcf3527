"""What could fool a reader is shown as an escape; everything else as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.evidence.escape import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("select 1", "select 1"),
        ("Größe ≥ 日本", "Größe ≥ 日本"),
        ("a\nb\tc", "a\\u000ab\\u0009c"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("user\u202egpj.exe", "user\\u202egpj.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_blocks_keep_their_lines() -> None:
    assert visible("a\n\tb\r\x00", keep_lines=True) == "a\n\tb\\u000d\\u0000"


@given(st.text())
def test_nothing_that_is_shown_controls_how_it_is_shown(text: str) -> None:
    shown = visible(text)
    assert all(letter == " " or unicodedata.category(letter)[0] not in "C" for letter in shown)
    shown.encode()
    assert visible(shown) == shown
