"""An entry: the numbered, stamped, named JSON object that is one leaf of the ledger's tree.

    {"at":"2026-11-25T07:29:12.123456Z","body":{...},"kind":"grant.ended","seq":17,
     "stream":"grant/g-7k3m2q9x4h","v":1,"version":3}

- `seq` is the leaf index, from 0, without a gap. `version` is the place in the stream, from 1, without a gap.
- `at` is UTC (RFC 3339) with always six digits of fraction and `Z`.
- `v` is the version of this format: 1.
- `stream` and `kind` use a safe ASCII alphabet, so neither ever needs an escape.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from sojourn.ledger import canonical
from sojourn.ledger.canonical import MAX_ENTRY_BYTES, MAX_INTEGER
from sojourn.ledger.errors import LedgerError

FORMAT_VERSION = 1
MAX_BODY_DEPTH = canonical.MAX_DEPTH - 1
"""A body lies one level deep inside its entry."""

_FIELDS = frozenset({"at", "body", "kind", "seq", "stream", "v", "version"})
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_STREAM = re.compile(r"[a-z][a-z0-9_]*(?:/[A-Za-z0-9@._:+-]+)*")
_KIND = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")
MAX_STREAM_LENGTH = 256
MAX_KIND_LENGTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One leaf, read back. `body` holds the raw canonical bytes of the body object."""

    seq: int
    at: datetime
    stream: str
    version: int
    kind: str
    body: bytes


def assemble(*, seq: int, at: str, stream: str, version: int, kind: str, body: bytes) -> bytes:
    """Return the bytes of an entry, by concatenation: this runs once for everything that is recorded.

    `at` comes from `format_time`; `body` is the canonical bytes of an object, from `canonical.encode` or
    passed by `check_body`. Raises LedgerError when another argument breaks a rule or the entry is too big.
    """
    if body[:1] != b"{" or body[-1:] != b"}":
        raise LedgerError("The body of an entry is a JSON object.")
    if _AT.fullmatch(at) is None:
        raise LedgerError(f"{at[:40]!a} is not a UTC time with six digits of fraction.")
    return assembler(at)(seq, stream, version, kind, body)


def assembler(at: str) -> Callable[[int, str, int, str, bytes], bytes]:
    """`assemble` for many entries of one time: a function of seq, stream, version, kind and body, in that order.

    `at` has to be one that `format_time` gave, and the body an object; these alone are not looked at.
    """
    begin = _at_field(at)

    def assembled(seq: int, stream: str, version: int, kind: str, body: bytes) -> bytes:
        if not 0 <= seq <= MAX_INTEGER or not 1 <= version <= MAX_INTEGER:
            raise LedgerError(f"seq {seq} or version {version} is out of range.")
        data = b"%b%b%b%d%b%d}" % (begin, body, _kind_field(kind), seq, _stream_field(stream), version)
        if len(data) > MAX_ENTRY_BYTES:
            raise LedgerError(f"The entry has {len(data)} bytes, more than {MAX_ENTRY_BYTES}.")
        return data

    return assembled


def assemble_all(
    at: str,
    seqs: range,
    streams: Sequence[str],
    versions: Sequence[int],
    kinds: Sequence[str],
    bodies: Sequence[bytes],
) -> list[bytes]:
    """`assemble` for at least one entry, all of one time, column by column. What `assembler` does not look at is not
    looked at here.
    """
    if seqs[0] < 0 or seqs[-1] > MAX_INTEGER or min(versions) < 1 or max(versions) > MAX_INTEGER:
        raise LedgerError("A seq or a version is out of range.")
    begin, kind_field, stream_field = _at_field(at), _kind_field, _stream_field
    found = [
        b"%b%b%b%d%b%d}" % (begin, body, kind_field(kind), seq, stream_field(stream), version)
        for seq, stream, version, kind, body in zip(seqs, streams, versions, kinds, bodies, strict=True)
    ]
    if max(map(len, found)) > MAX_ENTRY_BYTES:
        raise LedgerError(f"One of the entries has more than {MAX_ENTRY_BYTES} bytes.")
    return found


def _at_field(at: str) -> bytes:
    return b'{"at":"%b","body":' % at.encode()


# The fields below come again and again, so each spelling is checked once and its bytes are kept.


@lru_cache(maxsize=1024)
def _kind_field(kind: str) -> bytes:
    if _KIND.fullmatch(kind) is None or len(kind) > MAX_KIND_LENGTH:
        raise LedgerError(f"{kind[:60]!a} is not an entry kind like grant.ended.")
    return b',"kind":"%b","seq":' % kind.encode()


@lru_cache(maxsize=16_384)
def _stream_field(stream: str) -> bytes:
    if _STREAM.fullmatch(stream) is None or len(stream) > MAX_STREAM_LENGTH:
        raise LedgerError(f"{stream[:60]!a} is not a stream name like grant/g-7k3m2q9x4h.")
    return b',"stream":"%b","v":1,"version":' % stream.encode()


def check_body(body: bytes) -> None:
    """Raise LedgerError unless `body` is a canonical object that may stand in an entry."""
    if type(canonical.parse(body, max_depth=MAX_BODY_DEPTH)) is not dict:
        raise LedgerError("The body of an entry is a JSON object.")


def at_of(data: bytes) -> str:
    """The time that an entry's bytes begin with, unread."""
    return data[7:34].decode()


def parse(data: bytes) -> Entry:
    """Read the bytes of an entry; raise LedgerError unless `assemble` would write exactly these bytes."""
    value = canonical.parse(data)
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise LedgerError(f"An entry is an object with exactly the fields {', '.join(sorted(_FIELDS))}.")
    seq, version, at = value["seq"], value["version"], value["at"]
    stream, kind, body = value["stream"], value["kind"], value["body"]
    if type(seq) is not int or type(version) is not int or type(value["v"]) is not int:
        raise LedgerError("seq, v and version of an entry are integers.")
    if value["v"] != FORMAT_VERSION:
        raise LedgerError(f"This entry has format version {value['v']}; this reader knows {FORMAT_VERSION}.")
    if not isinstance(at, str) or not isinstance(stream, str) or not isinstance(kind, str):
        raise LedgerError("at, kind and stream of an entry are strings.")
    if not isinstance(body, dict):
        raise LedgerError("The body of an entry is a JSON object.")
    raw_body = canonical.encode(body)
    again = assemble(seq=seq, at=at, stream=stream, version=version, kind=kind, body=raw_body)
    assert again == data, "canonical bytes have one spelling"
    return Entry(seq=seq, at=parse_time(at), stream=stream, version=version, kind=kind, body=raw_body)


def format_time(moment: datetime) -> str:
    """Return `moment` as an entry writes it: UTC, microseconds, `Z`. It has to have a time zone."""
    if moment.tzinfo is None:
        raise LedgerError("A time without a time zone cannot be recorded.")
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:26] + "Z"


def parse_time(text: str) -> datetime:
    """Read what `format_time` wrote; raise LedgerError for any other spelling."""
    if _AT.fullmatch(text) is None:
        raise LedgerError(f"{text[:40]!a} is not a UTC time with six digits of fraction.")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise LedgerError(f"{text} is not a time that exists.") from error
    # Newer Pythons read 24:00:00 as the next midnight; an entry may say that time in one way only.
    if format_time(moment) != text:
        raise LedgerError(f"{text} is not a time that exists.")
    return moment
