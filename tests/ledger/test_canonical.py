"""Canonical JSON: byte-identical to RFC 8785 where both speak, and one spelling for each value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import canonical
from sojourn.ledger.errors import LedgerError

KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_the_bytes_are_those_of_rfc_8785(value: Any) -> None:
    data = canonical.encode(value)
    assert data == rfc8785.dumps(value)
    assert canonical.parse(data) == value


def test_every_character_is_escaped_as_in_rfc_8785() -> None:
    for start in range(0, 0x11000, 0x400):
        text = "".join(chr(point) for point in range(start, start + 0x400) if not 0xD800 <= point < 0xE000)
        assert canonical.encode(text) == rfc8785.dumps(text)


@given(VALUES, st.sampled_from([{"indent": 1}, {"separators": (", ", ":")}, {"ensure_ascii": True}]))
def test_another_spelling_of_the_same_value_is_refused(value: Any, options: dict[str, Any]) -> None:
    data = json.dumps({"value": value}, sort_keys=True, **options).encode()
    if data != canonical.encode({"value": value}):
        with pytest.raises(LedgerError):
            canonical.parse(data)


@pytest.mark.parametrize(
    "data",
    [
        b"", b" 1", b"1 ", b"1\n", b"\xef\xbb\xbf1", b"1.0", b"1e2", b"-0", b"01", b"+1", b"NaN", b"Infinity", b"1.5",
        b'{"a":1,"a":1}', b'{"b":1,"a":2}', b'{"A":1}', b'{"a-b":1}', b'{"":1}', b'{"1a":1}', b'{"\xc3\xa9":1}',
        b'"\\u0041"', b'"\\/"', b'"\\u001F"', b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\xff"', b'"\xed\xa0\x80"', b"'a'",
        b"[1,]", b"[1 ,2]", b"{}{}", b"9007199254740992", b"-9007199254740992", b"99999999999999999999999999", b"nul",
        b'{"a":1}\x00', b"\x00",
    ],
)  # fmt: skip
def test_bytes_outside_the_rules_are_refused(data: bytes) -> None:
    with pytest.raises(LedgerError):
        canonical.parse(data)


def test_integers_reach_to_two_to_the_53_less_one() -> None:
    for edge in (canonical.MAX_INTEGER, -canonical.MAX_INTEGER):
        assert canonical.parse(canonical.encode(edge)) == edge


def test_nesting_has_a_limit() -> None:
    deepest = b"[" * 16 + b"]" * 16
    assert canonical.parse(deepest)
    with pytest.raises(LedgerError, match="too deep"):
        canonical.parse(b"[" + deepest + b"]")
    with pytest.raises(LedgerError):
        canonical.parse(b"[" * 60_000)
    assert canonical.parse(b'{"a":[]}', max_depth=2) == {"a": []}
    with pytest.raises(LedgerError, match="too deep"):
        canonical.parse(b'{"a":[]}', max_depth=1)


def test_size_has_a_limit() -> None:
    data = b'"' + b"x" * (canonical.MAX_ENTRY_BYTES - 2) + b'"'
    assert len(data) == 65_535 and canonical.parse(data)
    with pytest.raises(LedgerError, match="65536 bytes"):
        canonical.parse(data + b"x")
    assert canonical.parse(b'"' + b"x" * 100_000 + b'"', max_bytes=200_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    zeta: int
    alpha: tuple[str, ...]


def test_a_dataclass_is_written_with_sorted_keys() -> None:
    assert canonical.encode(Example(zeta=1, alpha=("a", "b"))) == b'{"alpha":["a","b"],"zeta":1}'


@pytest.mark.parametrize("value", [object(), "\ud800", {1, object()}])
def test_a_value_without_a_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(LedgerError):
        canonical.encode(value)


@given(st.binary(max_size=200))
def test_garbage_raises_only_the_error_of_the_ledger(data: bytes) -> None:
    try:
        value = canonical.parse(data)
    except LedgerError:
        return
    assert canonical.encode(value) == data
