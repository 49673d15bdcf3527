"""How entries lie in a store: the entries of one commit side by side in a few rows, with their leaf hashes.

A row holds up to 256 entries that follow one another: the place of the first, how many there are, their leaf hashes
joined, and their bytes as an entry bundle (C2SP tlog-tiles: each with its length before it, a big-endian uint16).
Where a stream's entries lie is an index beside the rows, derived from them: for a stream and the version of its first
entry in the part, the places of the part's entries, each a big-endian uint64.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence

from sojourn.codes import Code
from sojourn.errors import SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import HASH_BYTES
from sojourn.ledger.tiles import TILE_WIDTH, decode_bundle, encode_bundle

EntryRow = tuple[int, str, int, str, bytes, bytes]
"""seq, stream, version, kind, leaf hash, bytes."""

BatchRow = tuple[int, int, bytes, bytes]
"""first place, number of entries, their leaf hashes joined, their bytes as a bundle."""

Bundle = tuple[int, bytes, list[bytes]]
"""first place, leaf hashes joined, and the bytes of each entry."""

PLACE_BYTES = 8
PLACES_AT_ONCE = 32
STREAM_FIELD = b',"stream":"'
_KIND_FIELD = b',"kind":"'
_END = re.compile(
    rb',"kind":"([a-z0-9_.]+)","seq":(0|[1-9][0-9]{0,15}),"stream":"([A-Za-z0-9@._:+/-]+)","v":1,'
    rb'"version":([1-9][0-9]{0,15})\}'
)


def pack(rows: Sequence[EntryRow]) -> list[BatchRow]:
    """The rows in which entries that follow one another are kept."""
    return [_packed(rows[start : start + TILE_WIDTH]) for start in range(0, len(rows), TILE_WIDTH)]


def _packed(part: Sequence[EntryRow]) -> BatchRow:
    if len(part) == 1:
        seq, _, _, _, leaf, data = part[0]
        return (seq, 1, leaf, len(data).to_bytes(2, "big") + data)
    return (part[0][0], len(part), b"".join([row[4] for row in part]), encode_bundle([row[5] for row in part]))


def bundle_of(row: BatchRow, start: int, end: int) -> Bundle:
    """What a row holds of the entries with `start <= seq < end`. Raises SojournError `record.damaged`."""
    first, count, leaves, bundle = row
    try:
        entries = decode_bundle(bundle)
    except LedgerError as error:
        raise damaged(f"the row of entry {first} cannot be read: {error}") from error
    if not len(entries) == count == len(leaves) // HASH_BYTES:
        raise damaged(f"the row of entry {first} does not hold {count} entries")
    begin, stop = max(0, start - first), min(count, end - first)
    if begin == 0 and stop == count:
        return first, leaves, entries
    return first + begin, leaves[begin * HASH_BYTES : stop * HASH_BYTES], entries[begin:stop]


def singly(bundles: Iterable[Bundle]) -> Iterator[tuple[int, bytes, bytes]]:
    """(place, leaf hash, bytes) of each entry."""
    for first, leaves, entries in bundles:
        for number, data in enumerate(entries):
            yield first + number, leaves[number * HASH_BYTES : (number + 1) * HASH_BYTES], data


def unpack(row: BatchRow) -> list[tuple[int, bytes, bytes]]:
    """(place, leaf hash, bytes) of each entry of a row. Raises SojournError `record.damaged`."""
    return list(singly([bundle_of(row, row[0], row[0] + row[1])]))


def named(seq: int, leaf: bytes, data: bytes) -> EntryRow:
    """An entry with what its own end says of it; stream, version and kind are empty when it is none for this place.

    The end of an entry follows from its place and name alone, so it is read without the body.
    """
    match = _END.fullmatch(data, max(0, data.rfind(_KIND_FIELD)))
    if match is None or int(match[2]) != seq:
        return (seq, "", 0, "", leaf, data)
    return (seq, match[3].decode(), int(match[4]), match[1].decode(), leaf, data)


def in_streams(rows: Iterable[tuple[int, bytes, bytes]], prefixes: Sequence[str]) -> Iterator[tuple[int, bytes]]:
    """(place, bytes) of those whose stream begins with one of `prefixes` (any, if empty)."""
    wanted = tuple(prefix.encode() for prefix in prefixes)
    for seq, _, data in rows:
        if not wanted or data.startswith(wanted, data.rfind(STREAM_FIELD) + len(STREAM_FIELD)):
            yield seq, data


def entries_of(
    stream: str,
    parts: Sequence[tuple[int, Sequence[int]]],
    after: int,
    near: Callable[[Sequence[int]], dict[int, bytes]],
) -> Iterator[tuple[int, bytes]]:
    """(version, bytes) of the entries above version `after` that an index names: parts of a first version and places.

    `near` gives the entries in the rows of some places. The index tells where to look; only an entry itself tells what
    it is. Raises SojournError `record.damaged` when it is something else.
    """
    wanted = [
        (version, seq) for first, places in parts for version, seq in enumerate(places, start=first) if version > after
    ]
    for start in range(0, len(wanted), PLACES_AT_ONCE):
        some = wanted[start : start + PLACES_AT_ONCE]
        held = near([seq for _, seq in some])
        for version, seq in some:
            data = held.get(seq, b"")
            if named(seq, b"", data)[1:3] != (stream, version):
                raise damaged(f"entry {seq} is not version {version} of {stream}, as the index of streams says")
            yield version, data


def pack_places(places: Sequence[int]) -> bytes:
    """The places of a part of a stream, joined."""
    return struct.pack(f">{len(places)}Q", *places)


def parts_of(entries: Sequence[EntryRow]) -> list[tuple[str, int, bytes]]:
    """What a batch adds to the index of streams: (stream, version of the first entry, places joined), in order."""
    found: dict[str, tuple[int, list[int]]] = {}
    for seq, stream, version, *_ in entries:
        found.setdefault(stream, (version, []))[1].append(seq)
    return [(stream, version, pack_places(places)) for stream, (version, places) in sorted(found.items())]


def unpack_places(joined: bytes) -> tuple[int, ...]:
    """Read what `pack_places` wrote. Raises SojournError `record.damaged`."""
    if type(joined) is not bytes or len(joined) % PLACE_BYTES:
        raise damaged("the index of a stream holds something else than places")
    return struct.unpack(f">{len(joined) // PLACE_BYTES}Q", joined)


def damaged(problem: str) -> SojournError:
    """The error that ends the scribe: the store does not hold what was written."""
    return SojournError(Code.RECORD_DAMAGED, problem=problem, path="ledger.db")
