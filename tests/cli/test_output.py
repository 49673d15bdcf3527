"""What hostile text looks like once it is printed."""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.cli import output
from sojourn.errors import Code, Refusal

HOSTILE = [
    "\n2026-01-01 [CRITICAL] admin logged in",
    "\x85",
    "\u2028",
    "\u2029",
    "\x00",
    "\x1b[2K",
    "\x07",
    "\u202e",
    "\u200b",
    "\x9b2J",
    "\x7f",
    "\ufeff",
    "\U000e0041",
    "\r",
]
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=40) | st.sampled_from(HOSTILE)


def _is_harmless(text: str) -> bool:
    return all(letter == " " or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in text)


@given(st.lists(ANY_TEXT, min_size=1, max_size=4))
def test_a_table_is_one_harmless_line_a_row(texts: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        said = _capture(patch)
        output.print_table([{"reason": text} for text in texts], ["reason"], empty="none")
    lines = "".join(said).split("\n")
    assert len(lines) == len(texts) + 2
    assert all(map(_is_harmless, lines))


@given(ANY_TEXT, ANY_TEXT)
def test_fields_and_lines_are_harmless(first: str, second: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        said = _capture(patch)
        output.print_fields({"who": first, "what": [second, first]})
        output.print_line(second)
    assert all(map(_is_harmless, "".join(said).split("\n")))


@given(st.dictionaries(ANY_TEXT, ANY_TEXT | st.lists(ANY_TEXT)))
def test_json_is_one_line_of_printable_ascii_and_keeps_the_value(value: dict[str, object]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        said = _capture(patch)
        output.print_json(value)
    (line, rest) = "".join(said).split("\n")
    assert rest == ""
    assert all(" " <= letter <= "~" for letter in line)
    assert json.loads(line) == value


@given(ANY_TEXT)
def test_an_error_about_hostile_text_is_harmless(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        said = _capture(patch, "stderr")
        code = output.print_error(Refusal(Code.TARGET_UNKNOWN, {"target": text}), as_json=False)
    assert code == 5
    assert "".join(said).count("\n") == 2
    assert all(map(_is_harmless, "".join(said).split("\n")))


class _Stream:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def write(self, text: str) -> int:
        self.said.append(text)
        return len(text)

    def flush(self) -> None:
        pass


def _capture(patch: pytest.MonkeyPatch, name: str = "stdout") -> list[str]:
    stream = _Stream()
    patch.setattr(output.sys, name, stream)  # type: ignore[attr-defined]
    return stream.said


# Moments


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T01:30:00Z", "2026-10-25T02:30:00+01:00"),
        ("2026-03-29T00:59:59.999999Z", "2026-03-29T01:59:59.999999+01:00"),
        ("2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("2026-13-29T01:00:00Z", "2026-13-29T01:00:00Z"),
        ("2026-03-29T01:00:00Z and more", "2026-03-29T01:00:00Z and more"),
        ("INC-2041", "INC-2041"),
    ],
    ids=["first 02:30", "second 02:30", "before summer", "summer", "no later day", "no date", "more text", "no moment"],
)
def test_a_moment_is_shown_as_the_clock_on_the_wall_shows_it_and_means_the_same(moment: str, shown: str) -> None:
    found = output.local(moment, ZoneInfo("Europe/Berlin"))
    assert found == shown
    if shown != moment:
        assert datetime.fromisoformat(found) == datetime.fromisoformat(moment)


@pytest.fixture
def in_kathmandu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine stands where clocks are ahead by five hours and three quarters."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_people_read_moments_in_the_zone_of_their_machine_and_scripts_read_utc(
    in_kathmandu: None, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"end": "2026-03-02T10:00:00Z"}
    output.print_table([row], ("end",), empty="")
    output.print_fields(row)
    assert capsys.readouterr().out.count("2026-03-02T15:45:00+05:45") == 2
    output.print_json(row)
    assert json.loads(capsys.readouterr().out) == row
