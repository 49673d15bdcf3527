"""The rule of what typed text is kept, and the chunks of a recording."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain import cast
from sojourn.domain.curtain import Curtain
from sojourn.gateway.ssh.chunk import event, pack
from sojourn.gateway.ssh.echo import Echo, mask


def test_typed_text_is_kept_once_the_host_has_echoed_it() -> None:
    echo = Echo()
    assert echo.typed("ls") == ""
    assert echo.answered("l") == "l"
    assert echo.answered("s\r\n") == "s"


def test_enter_is_echoed_as_carriage_return_and_line_feed() -> None:
    echo = Echo()
    echo.typed("id\r")
    assert echo.answered("id\r\nuid=0") == "id\r"
    assert echo.settle() == ""


def test_a_password_is_masked_when_the_host_answers_something_else() -> None:
    echo = Echo()
    echo.typed("hunter2\r")
    assert echo.answered("\r\nok") == cast.MASK * 7 + "\r"


@pytest.mark.parametrize(
    ("typed", "said"),
    [("secret\r", "success\r\n"), ("s", "still at work\r\n"), ("secret\r", "secretly\r\n"), ("o", "ok|\b")],
    ids=["beginning", "letter", "whole", "spinner"],
)
def test_nothing_of_a_password_is_kept_because_the_host_says_a_word_that_begins_like_it(typed: str, said: str) -> None:
    echo = Echo()
    echo.typed(typed)
    assert echo.answered(said) == mask(typed)
    assert echo.settle() == ""


@given(st.text(st.characters(categories=["L", "N"]), min_size=1), st.data())
def test_of_a_secret_that_no_host_echoes_no_letter_is_kept(secret: str, data: st.DataObject) -> None:
    """Wherever what the host says stops being like it, and however it came in."""
    same = data.draw(st.integers(0, len(secret) - 1))
    other = data.draw(st.characters(categories=["L", "N"], exclude_characters=secret[same]))
    echo = Echo()
    kept = echo.typed(secret + "\r")
    kept += echo.answered(secret[:same] + other)
    kept += echo.settle()
    assert kept == mask(secret + "\r")


@pytest.mark.parametrize(
    ("typed", "said", "kept"),
    [
        ("cat fo\t", "cat fo.txt", "cat fo"),
        ("x", "xrest\b\b\b\b", "x"),
        ("y", "y \r", "y"),
        ("ls", "ls\x1b[K", "ls"),
        ("a\rb\r", "a\r\nanswer", "a\r"),
        ("id\r", "id\r\n\x1b[?2004l\ruid=0", "id\r"),
    ],
    ids=["completed", "inserted", "wrapped", "cleared", "ahead", "bracketed"],
)
def test_what_line_editors_say_behind_an_echo_does_not_hide_it(typed: str, said: str, kept: str) -> None:
    echo = Echo()
    echo.typed(typed)
    assert echo.answered(said) == kept


def test_what_is_never_answered_is_masked() -> None:
    echo = Echo()
    echo.typed("x" * 10_000)
    assert set(echo.settle()) == {cast.MASK}


@given(st.text())
def test_no_printable_letter_survives_the_mask(text: str) -> None:
    kept = mask(text.replace("\x1b", ""))
    assert all(letter == cast.MASK or not letter.isprintable() for letter in kept)


@given(st.lists(st.tuples(st.sampled_from("oierm"), st.text()), max_size=20))
def test_a_chunk_gives_back_what_was_put_into_it(events: list[tuple[str, str]]) -> None:
    chunk = pack(event(0.5, code, text) for code, text in events) if events else b""
    if events:
        found = list(cast.moments(cast.unpack(chunk)))
        assert [(one.code, one.text) for one in found] == events


@given(st.binary())
def test_bytes_that_are_not_text_come_back_exactly(data: bytes) -> None:
    line = event(0.0, "o", data.decode("utf-8", "surrogateescape"))
    (moment,) = cast.moments(cast.unpack(pack([line])))
    assert moment.text.encode("utf-8", "surrogateescape") == data


@given(st.binary(max_size=200))
def test_what_is_no_chunk_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(ValueError, match="recording"):
        cast.unpack(data)


@pytest.mark.parametrize(
    "said",
    [
        "\x1b]52;c;aGVsbG8=\x07",
        "\x1b]0;title\x1b\\",
        "\x1bP+q544e\x1b\\",
        "\x1b_x\x1b\\",
        "\x1b[c",
        "\x1b[6n",
        "\x1b[18t",
        "\x1b[?2026$p",
        "\x1bZ",
        "\x1b\x1b]52;c;aGk=\x07",
        "\x1b\x01\x1b[6n",
        "\x1b[\x1b[6n",
        "\x1bc",
        "\x9b6n",
        "\x05",
    ],
)
def test_no_sequence_of_a_recording_acts_outside_of_what_is_shown(said: str) -> None:
    whole = Curtain()
    assert "\x1b" not in whole.shown(f"a{said}b")
    piecewise = Curtain()
    shown = "".join(piecewise.shown(letter) for letter in f"a{said}b")
    assert shown.startswith("a") and shown.endswith("b") and "\x1b" not in shown


def test_colours_and_movements_of_the_cursor_are_shown() -> None:
    text = "\x1b[31mred\x1b[0m\x1b[2J\x1b[10;5H\x1b(B\x0e\r\n"
    assert Curtain().shown(text) == text


@given(st.text())
def test_plain_text_passes_the_curtain(text: str) -> None:
    plain = "".join(letter for letter in text if letter.isprintable())
    assert Curtain().shown(plain) == plain
