"""Entries: assembled by concatenation, read back strictly, one spelling of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import canonical
from sojourn.ledger import entry as entries
from sojourn.ledger.entry import Entry
from sojourn.ledger.errors import LedgerError

AT = "2026-11-25T07:29:12.123456Z"
GOOD: dict[str, Any] = {
    "seq": 17, "at": AT, "stream": "grant/g-7k3m2q9x4h", "version": 3, "kind": "grant.ended", "body": b'{"rows":12}',
}  # fmt: skip
DATA = (
    b'{"at":"2026-11-25T07:29:12.123456Z","body":{"rows":12},"kind":"grant.ended","seq":17,'
    b'"stream":"grant/g-7k3m2q9x4h","v":1,"version":3}'
)


def test_an_entry_has_the_documented_bytes() -> None:
    assert entries.assemble(**GOOD) == DATA
    assert entries.parse(DATA) == Entry(
        seq=17,
        at=datetime(2026, 11, 25, 7, 29, 12, 123456, UTC),
        stream="grant/g-7k3m2q9x4h",
        version=3,
        kind="grant.ended",
        body=b'{"rows":12}',
    )


@given(
    seq=st.integers(0, canonical.MAX_INTEGER),
    version=st.integers(1, canonical.MAX_INTEGER),
    at=st.datetimes(timezones=st.just(UTC)),
    stream=st.from_regex(r"[a-z][a-z0-9_]{0,9}(/[A-Za-z0-9@._:+-]{1,9}){0,3}", fullmatch=True),
    kind=st.from_regex(r"[a-z][a-z0-9_]{0,9}(\.[a-z][a-z0-9_]{0,9}){0,3}", fullmatch=True),
    body=st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), st.text(max_size=9), max_size=3),
)
def test_concatenation_gives_the_canonical_form_and_reads_back(
    seq: int, version: int, at: datetime, stream: str, kind: str, body: dict[str, str]
) -> None:
    time, raw = entries.format_time(at), canonical.encode(body)
    data = entries.assemble(seq=seq, at=time, stream=stream, version=version, kind=kind, body=raw)
    fields = {"at": time, "body": body, "kind": kind, "seq": seq, "stream": stream, "v": 1, "version": version}
    assert data == canonical.encode(fields)
    assert entries.parse(data) == Entry(seq=seq, at=at, stream=stream, version=version, kind=kind, body=raw)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seq", -1), ("seq", 2**53), ("version", 0), ("version", 2**53), ("at", "2026-11-25T07:29:12Z"),
        ("at", "2026-11-25T07:29:12.123456+00:00"), ("at", AT + "\n"), ("at",
        "\u0662\u0660\u0662\u0666-11-25T07:29:12.123456Z"),
        ("stream", ""), ("stream", "Grant/x"), ("stream", "grant/"), ("stream", "grant//x"), ("stream", 'grant/"x'),
        ("stream", "grant/x\n"), ("stream", "grant/é"), ("stream", "grant/" + "x" * 251), ("kind", ""), ("kind",
        "x" * 101),
        ("kind", "grant."), ("kind", "Grant.ended"), ("kind", "grant ended"), ("body", b""), ("body", b"[]"), ("body",
        b"{"),
        ("body", b"}"), ("body", b'{"a":"' + b"x" * 65_535 + b'"}'),
    ],
)  # fmt: skip
def test_an_argument_outside_the_rules_is_refused(field: str, value: object) -> None:
    with pytest.raises(LedgerError):
        entries.assemble(**GOOD | {field: value})


@pytest.mark.parametrize("field", ["", "seq", "version", "stream", "kind", "body"])
def test_entries_that_are_assembled_together_are_those_that_are_assembled_alone(field: str) -> None:
    wrong: dict[str, Any] = {"seq": -1, "version": 0, "stream": "Grant/x", "kind": "Grant", "body": b"x" * 65_536}
    each = [GOOD | {"seq": 17 + number, "version": 3 + number} for number in range(4)]
    start = wrong["seq"] if field == "seq" else 17
    if field and field != "seq":
        each[2] |= {field: wrong[field]}
    columns = [[one[name] for one in each] for name in ("stream", "version", "kind", "body")]
    if field:
        with pytest.raises(LedgerError):
            entries.assemble_all(AT, range(start, start + 4), *columns)
    else:
        together = entries.assemble_all(AT, range(start, start + 4), *columns)
        assert together == [entries.assemble(**one) for one in each]


def test_an_entry_of_exactly_the_largest_size_is_taken() -> None:
    room = canonical.MAX_ENTRY_BYTES - len(entries.assemble(**GOOD | {"body": b'{"a":""}'}))
    data = entries.assemble(**GOOD | {"body": b'{"a":"' + b"x" * room + b'"}'})
    assert len(data) == 65_535 and entries.parse(data).seq == 17
    with pytest.raises(LedgerError):
        entries.assemble(**GOOD | {"body": b'{"a":"' + b"x" * (room + 1) + b'"}'})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'), (b'"v":1', b'"v":true'), (b'"seq":17', b'"seq":-1'), (b'"seq":17', b'"seq":"17"'),
        (b'"seq":17', b'"seq":false'), (b'"version":3', b'"version":0'), (b'{"rows":12}', b"[]"), (b'{"rows":12}',
        b'"x"'),
        (b',"version":3', b""), (b',"version":3', b',"version":3,"x":1'), (b"2026-11-25", b"2026-02-30"),
        (b"07:29", b"24:00"), (b"12.123456Z", b"60.123456Z"), (b'"grant.ended"', b"1"), (b'"grant/', b'"/'),
        (b'"rows":12', b'"rows":1.5'), (b'"rows":12', b'"Rows":12'), (b'"at":"2026-11-25T07:29:12.123456Z"', b'"at":1'),
        (b'"stream":"grant/g-7k3m2q9x4h"', b'"stream":null'),
    ],
)  # fmt: skip
def test_an_entry_outside_the_rules_is_not_read(old: bytes, new: bytes) -> None:
    assert old in DATA
    with pytest.raises(LedgerError):
        entries.parse(DATA.replace(old, new))


@given(place=st.integers(0, len(DATA) - 1), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_is_another_entry(place: int, value: int) -> None:
    altered = bytearray(DATA)
    altered[place] = value
    try:
        read = entries.parse(bytes(altered))
    except LedgerError:
        return
    assert (read == entries.parse(DATA)) is (altered == DATA)


@given(st.binary(max_size=300))
def test_garbage_raises_only_the_error_of_the_ledger(data: bytes) -> None:
    with pytest.raises(LedgerError):
        entries.parse(data)


def test_a_body_may_nest_one_level_less_than_an_entry() -> None:
    body = b'{"a":' + b"[" * 14 + b"]" * 14 + b"}"
    entries.check_body(body)
    assert entries.parse(entries.assemble(**GOOD | {"body": body})).body == body
    with pytest.raises(LedgerError, match="too deep"):
        entries.check_body(b'{"a":' + b"[" * 15 + b"]" * 15 + b"}")
    for other in (b"[]", b"1", b"", b'{"a": 1}'):
        with pytest.raises(LedgerError):
            entries.check_body(other)


def test_a_time_is_written_in_utc_with_six_digits() -> None:
    east = timezone(timedelta(hours=2))
    assert entries.format_time(datetime(2026, 11, 25, 9, 29, 12, tzinfo=east)) == "2026-11-25T07:29:12.000000Z"
    assert entries.format_time(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"
    with pytest.raises(LedgerError):
        entries.format_time(datetime(2026, 11, 25))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    "text", ["", "2026-11-25", AT.lower(), "2026-13-01T00:00:00.000000Z", "2026-11-25T24:00:00.000000Z"]
)
def test_a_time_in_another_form_is_not_read(text: str) -> None:
    with pytest.raises(LedgerError):
        entries.parse_time(text)
