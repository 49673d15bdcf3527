"""The rule of what typed text is kept, and the chunks of a recording."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain import cast
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
    chunk = cast.pack(cast.event(0.5, code, text) for code, text in events) if events else b""
    if events:
        found = list(cast.moments(cast.unpack(chunk)))
        assert [(one.code, one.text) for one in found] == events


@given(st.binary())
def test_bytes_that_are_not_text_come_back_exactly(data: bytes) -> None:
    line = cast.event(0.0, "o", data.decode("utf-8", "surrogateescape"))
    (moment,) = cast.moments(cast.unpack(cast.pack([line])))
    assert moment.text.encode("utf-8", "surrogateescape") == data


@given(st.binary(max_size=200))
def test_what_is_no_chunk_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(ValueError, match="recording"):
        cast.unpack(data)
