"""Canonical JSON: one value has exactly one sequence of bytes, so a hash of the bytes is a hash of the value.

The rules, a subset of RFC 8785 (JSON Canonicalization Scheme):

- Keys are ASCII snake_case (`[a-z][a-z0-9_]*`), sorted, and none occurs twice.
- There is no white space between tokens and nothing after the value.
- Numbers are integers with an absolute value below 2**53; there are no floats.
- Strings are UTF-8 without lone surrogates; escapes are those of RFC 8785 section 3.2.2.2.
- Objects and arrays nest at most 16 deep; the outermost one counts as one.
- An entry has at most 65,535 bytes, so that its length fits the uint16 of an entry bundle.

Under these rules `msgspec` with `order="sorted"` writes the bytes RFC 8785 asks for.
"""

import re
from typing import TypeAlias

import msgspec

from sojourn.ledger.errors import LedgerError

MAX_ENTRY_BYTES = 65_535
MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | bool | None"
"""What canonical bytes can say."""

_KEY = re.compile(r"[a-z][a-z0-9_]*")
_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder()


def encode(value: object) -> bytes:
    """Return the canonical bytes of a plain value or a dataclass of plain values.

    This is the fast writer for values our own code built; it does not look for floats, large integers or wrong keys.
    Whoever takes bytes from somebody else calls `parse` on them.
    """
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise LedgerError(f"This value has no canonical form: {error}.") from error


def parse(data: bytes, *, max_bytes: int = MAX_ENTRY_BYTES, max_depth: int = MAX_DEPTH) -> Value:
    """Read canonical bytes; refuse any other spelling of the same value.

    Raises LedgerError for every input that `encode` would not have written for a permitted value.
    """
    if len(data) > max_bytes:
        raise LedgerError(f"The JSON has {len(data)} bytes; at most {max_bytes} are allowed.")
    try:
        value: Value = _DECODER.decode(data)
        _check(value, max_depth)
        again = _ENCODER.encode(value)
    except LedgerError:
        raise
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise LedgerError(f"These bytes are not JSON: {error}.") from error
    if again != data:
        raise LedgerError("The JSON is not canonical: key order, white space, an escape or a repeated key differs.")
    return value


def _check(value: object, depth_left: int) -> None:
    """Walk a decoded value and refuse what the rules forbid. Exact types: a bool is not an int here."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        assert isinstance(value, int)
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise LedgerError(f"The integer {value} is outside -(2**53-1) to 2**53-1.")
        return
    if kind is float:
        raise LedgerError("Floats are not allowed; write the number as an integer or a string.")
    if depth_left == 0:
        raise LedgerError("The JSON nests too deep.")
    if isinstance(value, dict):
        for key, inner in value.items():
            if _KEY.fullmatch(key) is None:
                raise LedgerError(f"The key {key[:60]!a} is not snake_case.")
            _check(inner, depth_left - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth_left - 1)
