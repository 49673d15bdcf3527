"""What may be written: one append after another is looked at, and those that may join the batch do.

- All of an append joins, or nothing of it.
- A stream must be at the version that was seen, counting what the batch already holds.
- A body is one that our own codec would write for an event of that kind: canonical, and readable by every reader.
  Its integers are below 2**53; an entry has at most 65,535 bytes.
- A sealed value joins only with a key that is on record or comes with it. A key id or a commitment that is taken
  by other content is refused.
- A tombstone joins only if every key that it names is there to be destroyed. A value that was on its way when its
  key was destroyed joins and is as unreadable as the others; later ones are stale, because whoever seals under such a
  key does not follow the record.
- Only the scribe itself says that its key has changed, and which ledger this one follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from sojourn.codes import Code
from sojourn.domain.events import KeysDestroyed, LedgerBegunAnew, LedgerKeyRotated
from sojourn.errors import SojournError
from sojourn.ledger import entry as entries
from sojourn.ledger.canonical import MAX_ENTRY_BYTES
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import leaf_hash

from . import codec
from .codec import is_canonical
from .protocol import Append, Appended, Draft, Key, Matter, Refused, all_hex
from .rows import EntryRow
from .store import Store

_TOMBSTONE = KeysDestroyed.kind
_OF_THE_SCRIBE = frozenset({LedgerKeyRotated.kind, LedgerBegunAnew.kind})
LOOKED_AT = _OF_THE_SCRIBE | {_TOMBSTONE}


class UnacceptableError(Exception):
    """An append that will not be written; carries the answer."""

    def __init__(self, code: Code, **details: str) -> None:
        self.code: Code = code
        self.details = details
        super().__init__(code)


class OnRecord(Protocol):
    """What is on record already. Implemented by `log.Log`."""

    store: Store
    by_itself: bool
    """Whether the scribe itself is recording something of its own."""

    def version(self, stream: str) -> int:
        """The version of a stream on record."""
        ...

    def knows_key(self, key: str) -> bool:
        """Whether a sealing key is on record and was not destroyed."""
        ...

    def just_destroyed(self, key: str) -> bool:
        """Whether a sealing key was destroyed so lately that values under it may still be on their way."""
        ...


@dataclass(slots=True)
class Batch:
    """What the accepted appends of one batch add up to. `at` is the time of them all, `first` the next free place,
    `taken` holds those of its commitments under which a value lies already.
    """

    at: str
    first: int
    taken: Set[str] = frozenset()
    rows: list[EntryRow] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    matter: dict[str, Matter] = field(default_factory=dict)
    attachments: dict[str, bytes] = field(default_factory=dict)
    destroyed: dict[str, None] = field(default_factory=dict)
    answers: list[Appended | Refused] = field(default_factory=list)
    assembled: Callable[[int, str, int, str, bytes], bytes] = field(init=False)

    def __post_init__(self) -> None:
        """All its entries carry the same time."""
        self.assembled = entries.assembler(self.at)


def accept(call: Append, batch: Batch, record: OnRecord) -> None:
    """Add one append and its answer to the batch, or raise UnacceptableError and leave the batch as it was."""
    known = batch.versions
    for stream, seen in call.guards:
        if known.get(stream, -1) != seen and (stream in known or record.version(stream) != seen):
            raise UnacceptableError(Code.RECORD_STALE, stream=stream)
    versions: dict[str, int] = {}
    rows: list[EntryRow] = []
    tombstones: list[Draft] = []
    first = seq = batch.first + len(batch.rows)
    assembled = batch.assembled
    # This loop runs once for everything that is recorded.
    for draft in call.drafts:
        stream, kind, body, wanted = draft.stream, draft.kind, draft.body, draft.seen
        version = versions.get(stream) or known.get(stream)
        if version is None:
            version = record.version(stream)
        if wanted is not None and wanted != version:
            raise UnacceptableError(Code.RECORD_STALE, stream=stream)
        versions[stream] = version = version + 1
        try:
            if not is_canonical(kind, body):
                raise _unusable(f"a body of {kind} is not in canonical form", "what the codec writes")
            data = assembled(seq, stream, version, kind, body)
        except (LedgerError, SojournError) as error:
            raise _why(draft, error, seq=seq, version=version, at=batch.at) from error
        rows.append((seq, stream, version, kind, leaf_hash(data), data))
        seq += 1
        if kind in LOOKED_AT:
            if kind in _OF_THE_SCRIBE and not record.by_itself:
                raise _unusable(f"only the scribe itself records {kind}", "another kind of entry")
            if kind == _TOMBSTONE:
                tombstones.append(draft)
    if call.keys or call.matter:
        keys = _fresh_keys(call, batch, record)
        matter = _fresh_matter(call, keys, batch, record)
        if tombstones:
            batch.destroyed.update(_destroyed(tombstones, batch, record))
        batch.keys.update(keys)
        batch.matter.update(matter)
    elif tombstones:
        batch.destroyed.update(_destroyed(tombstones, batch, record))
    batch.rows += rows
    known.update(versions)
    for content in call.attachments:
        batch.attachments[sha256(content).hexdigest()] = content
    batch.answers.append(Appended(call.id, first, seq, batch.at))


def _why(draft: Draft, error: Exception, *, seq: int, version: int, at: str) -> UnacceptableError:
    """Tell an entry that is only too large from one that breaks another rule."""
    try:
        around = len(
            entries.assemble(seq=seq, at=at, stream=draft.stream, version=version, kind=draft.kind, body=b"{}")
        )
    except LedgerError as other:
        return _unusable(str(other), "an entry")
    size = around - 2 + len(draft.body)
    if size > MAX_ENTRY_BYTES:
        return UnacceptableError(Code.RECORD_TOO_LARGE, size=str(size), limit=str(MAX_ENTRY_BYTES))
    return _unusable(f"a body is not one of {draft.kind}: {error}", "what the codec writes")


def _fresh_keys(call: Append, batch: Batch, record: OnRecord) -> dict[str, Key]:
    keys: dict[str, Key] = {}
    for key in call.keys:
        held = keys.get(key.key) or batch.keys.get(key.key)
        if held is None:
            held = record.store.key(key.key)
            if held is None:
                keys[key.key] = key
        if held is not None and held != key:
            if _is_destroyed(held):
                if record.just_destroyed(key.key):
                    continue
                raise UnacceptableError(Code.RECORD_STALE, stream=call.drafts[0].stream)
            raise _unusable(f"the sealing key id {key.key} is taken", "a fresh key id")
    return keys


def _fresh_matter(call: Append, keys: dict[str, Key], batch: Batch, record: OnRecord) -> dict[str, Matter]:
    matter: dict[str, Matter] = {}
    if not all_hex(one.commitment for one in call.matter):
        raise _unusable("a commitment is no SHA-256", "64 hexadecimal digits")
    for one in call.matter:
        if one.key not in keys and one.key not in batch.keys and not record.knows_key(one.key):
            key = record.store.key(one.key)
            if key is None or not _is_destroyed(key):
                raise _unusable(f"the sealing key {one.key} is not on record", "the key with the sealed value")
            if not record.just_destroyed(one.key):
                raise UnacceptableError(Code.RECORD_STALE, stream=call.drafts[0].stream)
        held = matter.get(one.commitment) or batch.matter.get(one.commitment)
        if held is None and one.commitment in batch.taken:
            held = record.store.ciphertext(one.commitment)
        if held is None:
            matter[one.commitment] = one
        if held is not None and held != one:
            raise _unusable(f"the commitment {one.commitment} is taken", "a value that was salted afresh")
    return matter


def _is_destroyed(key: Key) -> bool:
    """Whether a sealing key on record was overwritten."""
    return bool(key.wrapped) and not any(key.wrapped)


def _destroyed(tombstones: Sequence[Draft], batch: Batch, record: OnRecord) -> dict[str, None]:
    """The sealing keys that the tombstones of an append name."""
    named: dict[str, None] = {}
    for draft in tombstones:
        event = codec.decode(draft.kind, draft.body)
        assert isinstance(event, KeysDestroyed)
        for key in event.keys:
            there = key not in named and key not in batch.destroyed
            if not there or not (key in batch.keys or record.knows_key(key)):
                raise UnacceptableError(Code.RECORD_STALE, stream=draft.stream)
            named[key] = None
    return named


def _unusable(problem: str, expected: str) -> UnacceptableError:
    return UnacceptableError(Code.INPUT_INVALID, problem=problem[:1].upper() + problem[1:], expected=expected)
