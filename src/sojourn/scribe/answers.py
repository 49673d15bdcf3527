"""Calls that read: each gets its answer from what is durable, a page at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar, assert_never

from sojourn.codes import Code
from sojourn.errors import SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import HashReader, consistency_proof, inclusion_proof

from .log import NOT_SIGNED_NOW, Log
from .protocol import (
    PAGE_BYTES_MAX,
    PAGE_ENTRIES_MAX,
    Answer,
    Append,
    Blob,
    Call,
    Entries,
    Fetch,
    Hashes,
    Head,
    Key,
    Keys,
    Matter,
    Matters,
    Note,
    Proofs,
    Prove,
    ProveConsistency,
    Read,
    ReadAttachment,
    ReadHead,
    ReadKeys,
    ReadMatter,
    ReadStream,
    Refused,
    Sign,
)
from .rows import EntryRow

SCANNED_MAX = 20_000
"""How many entries one call looks through for its streams, so that a rare stream holds up nobody else."""

Asked = TypeVar("Asked")


def answer(call: Call, log: Log) -> Answer:
    """The answer to any call but an append. Raises SojournError `record.damaged`, which ends the scribe."""
    try:
        return _answer(call, log)
    except LedgerError as error:
        return Refused(call.id, Code.INPUT_INVALID, {"problem": str(error), "expected": "a place in the tree"})


def _answer(call: Call, log: Log) -> Answer:
    store = log.store
    match call:
        case Read():
            return read(call.id, log, call.start, call.limit, call.prefixes)
        case ReadStream():
            page, last, more = _page(store.stream(call.stream, call.after), PAGE_ENTRIES_MAX)
            return Entries(call.id, page, last if page else call.after, more)
        case Fetch():
            return _fetched(call, log)
        case ReadMatter():
            return _matters(call, log)
        case ReadKeys():
            keys = store.keys(call.subject, call.after, PAGE_ENTRIES_MAX + 1)
            return Keys(call.id, keys[:PAGE_ENTRIES_MAX], len(keys) > PAGE_ENTRIES_MAX)
        case ReadAttachment():
            return Blob(call.id, store.attachment(call.sha256))
        case ReadHead():
            return Head(call.id, log.size, log.edges.root())
        case Sign():
            return _sign(call, log)
        case Prove():
            read_hash = _reader(log, call.size)
            return Proofs(call.id, [inclusion_proof(seq, call.size, read_hash) for seq in call.seqs])
        case ProveConsistency():
            return Hashes(call.id, consistency_proof(call.old, call.new, _reader(log, call.new)))
        case Append():
            raise AssertionError("appends are answered with their batch")
        case _:
            assert_never(call)


def read(call_id: int, log: Log, start: int, limit: int, prefixes: Sequence[str]) -> Entries:
    """Entries from `start` on. Looks through so many at most; `following` and `more` tell where to go on."""
    size = log.size
    if start >= size:
        # Whoever follows asks for what is not there yet, and asks again after every batch.
        return Entries(call_id, [], start, False)
    end = min(size, start + SCANNED_MAX)
    page, last, cut = _page(log.store.matching(start, end, prefixes), limit)
    if cut:
        return Entries(call_id, page, last + 1, True)
    return Entries(call_id, page, max(start, end), end < size)


def read_written(call_id: int, rows: Sequence[EntryRow], start: int, prefixes: Sequence[str]) -> Entries | None:
    """As `read`, for a reader who has seen all before `rows`, which were written just now.

    None when they do not fit a page, or the reader waits for something else.
    """
    first, end = rows[0][0], rows[-1][0] + 1
    if len(rows) > PAGE_ENTRIES_MAX or start < first:
        return None
    wanted = tuple(prefixes) or ("",)
    page = [row[5] for row in rows if row[0] >= start and row[1].startswith(wanted)]
    if sum(map(len, page)) > PAGE_BYTES_MAX:
        return None
    return Entries(call_id, page, max(start, end), False)


def _fetched(call: Fetch, log: Log) -> Entries:
    """The entries of some places; places that follow one another are read together, as they lie there."""
    found: list[bytes] = []
    looked_at = total = 0
    for start, end in _runs(call.seqs):
        for seq, _, data in log.store.hashed(start, end):
            found.append(data)
            total += len(data)
            if total >= PAGE_BYTES_MAX:
                looked_at += seq - start + 1
                return Entries(call.id, found, looked_at, looked_at < len(call.seqs))
        looked_at += end - start
    return Entries(call.id, found, looked_at, False)


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The same places as ranges, as long as they follow one another."""
    start = 0
    for number in range(1, len(places) + 1):
        if number == len(places) or places[number] != places[number - 1] + 1:
            yield places[start], places[number - 1] + 1
            start = number


def _matters(call: ReadMatter, log: Log) -> Matters:
    rows: list[tuple[Matter, Key]] = []
    values: list[bytes] = []
    looked_at = 0
    for commitment in _while_small(call.commitments, values):
        looked_at += 1
        row = log.store.matter(commitment)
        if row is not None:
            rows.append(row)
            values.append(row[0].ciphertext)
    return Matters(call.id, rows, looked_at)


def _sign(call: Sign, log: Log) -> Answer:
    try:
        return Note(call.id, log.sign())
    except SojournError as error:
        if error.code not in NOT_SIGNED_NOW:
            raise
        return Refused(call.id, error.code, dict(error.refusal.details))


def _reader(log: Log, size: int) -> HashReader:
    if size > log.size:
        raise LedgerError(f"There is no tree of {size} entries yet.")
    return log.reader(size)


def _while_small(asked: Sequence[Asked], found: Sequence[bytes]) -> Iterator[Asked]:
    """What is asked, one by one, until what was found for it fills a page."""
    total = counted = 0
    for one in asked:
        yield one
        total += sum(map(len, found[counted:]))
        counted = len(found)
        if total >= PAGE_BYTES_MAX:
            return


def _page(rows: Iterator[tuple[int, bytes]], limit: int) -> tuple[list[bytes], int, bool]:
    """Entries up to the limits of a page, the number of the last one, and whether the page was cut."""
    page: list[bytes] = []
    last, total = -1, 0
    for number, data in islice(rows, max(1, min(limit, PAGE_ENTRIES_MAX))):
        page.append(data)
        last = number
        total += len(data)
        if total >= PAGE_BYTES_MAX:
            break
    return page, last, next(rows, None) is not None
