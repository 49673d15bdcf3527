"""What the scribe asks of a store: rows in, rows out, and nothing that could change a row.

Two stores keep these promises, and one suite of tests holds both to them: `sqlite_store` (one file, one scribe) and
`postgres_store` (one database, several scribes).

- What was written is durable when the context of `writing` ends without an exception.
- While `writing` lasts nobody else writes; it gives the number of entries on record.
- Entries, tiles, checkpoints, attachments and sealed values refuse UPDATE and DELETE, whoever asks. A sealing key can
  be destroyed, and nothing else: it is overwritten with zeros, for good.
- A failure is a `StoreError` (or `sqlite3.Error`, `OSError`). After one, what the store holds is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from .protocol import Key, Matter
from .rows import Bundle, EntryRow

TileRow = tuple[int, int, bytes]
"""level, tile index, 256 hashes joined."""


class StoreError(Exception):
    """The store failed: nothing more is known, and nothing may be acknowledged."""


class NotWrittenError(Exception):
    """Nothing of what `writing` held was written, and that is certain: it may be decided and written again."""


class Store(Protocol):
    """One ledger, open for writing."""

    directory: str
    """Where it lies, for messages."""

    shared: bool
    """Whether others may write to it, too."""

    def close(self) -> None:
        """Let go of it in order."""
        ...

    def size(self) -> int:
        """The number of entries on record now."""
        ...

    def remember(self, size: int, leaf: bytes) -> None:
        """Be told what is durable: a store that has to connect again compares it with what it finds.

        `leaf` is the leaf hash of the last entry. When it finds less or something else, any method may raise
        SojournError `record.behind`.
        """
        ...

    def writing(self) -> AbstractContextManager[int]:
        """One transaction, the only one that writes; gives the number of entries on record as it begins.

        Raises NotWrittenError, for a store that can tell after a failure that nothing was written.
        """
        ...

    def insert(
        self,
        entries: Sequence[EntryRow],
        *,
        keys: Collection[Key],
        matter: Collection[Matter],
        attachments: Collection[tuple[str, bytes]],
        tiles: Collection[TileRow],
    ) -> None:
        """Write one batch, inside `writing`. `keys` and `matter` are those not in the store yet."""
        ...

    def destroy_keys(self, keys: Collection[str]) -> None:
        """Overwrite wrapped sealing keys with zeros of the same length, inside `writing`.

        The row stays, so that no key of that id can ever come again.
        """
        ...

    def fold(self) -> None:
        """Move what was committed to where it stays, if there is much of it, and see that the next commits have room.

        Whoever waited has been answered.
        """
        ...

    def forget_old_pages(self) -> bool:
        """See that no copy of a destroyed key is left beside the tables; False if that has to be tried again."""
        ...

    def insert_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint, inside `writing`; the first one of a size stays."""
        ...

    def extent(self) -> tuple[int, int, int]:
        """The number of entries, the lowest and the highest place (0 and -1 when there are none)."""
        ...

    def gap(self) -> str | None:
        """What is wrong with the order of rows or with the index of streams, if anything is."""
        ...

    def version(self, stream: str) -> int:
        """The version of a stream: the number of its entries."""
        ...

    def rows(self, start: int, end: int) -> Iterator[EntryRow]:
        """Entries with `start <= seq < end`, in order, with what their bytes say of them."""
        ...

    def bundles(self, start: int, end: int) -> Iterator[Bundle]:
        """The same entries, several at once as they lie there, with their leaf hashes joined; in order."""
        ...

    def hashed(self, start: int, end: int) -> Iterator[tuple[int, bytes, bytes]]:
        """(seq, leaf hash, bytes) with `start <= seq < end`, in order."""
        ...

    def matching(self, start: int, end: int, prefixes: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        """(seq, bytes) with `start <= seq < end` whose stream begins with one of `prefixes` (any, if empty)."""
        ...

    def stream(self, stream: str, after: int) -> Iterator[tuple[int, bytes]]:
        """(version, bytes) of a stream's entries above version `after`, in order."""
        ...

    def entry(self, seq: int) -> bytes | None:
        """One entry's bytes."""
        ...

    def leaves(self, start: int, count: int) -> bytes:
        """`count` leaf hashes from `start` on, joined."""
        ...

    def tile(self, level: int, tile_index: int) -> bytes | None:
        """A full tile's hashes; level 1 and up."""
        ...

    def last_checkpoint(self) -> tuple[int, str] | None:
        """The newest signed checkpoint: its size and its note."""
        ...

    def key(self, key_id: str) -> Key | None:
        """A wrapped sealing key."""
        ...

    def usable_key(self, key_id: str) -> bool:
        """Whether a sealing key is there and was not destroyed."""
        ...

    def keys(self, subject: str, after: str, limit: int) -> list[tuple[str, str, str, bool]]:
        """(key, subject, recipient, whether destroyed) of keys above `after` whose subject begins with `subject`."""
        ...

    def taken(self, commitments: Collection[str]) -> set[str]:
        """Those of `commitments` under which a sealed value lies."""
        ...

    def ciphertext(self, commitment: str) -> Matter | None:
        """A sealed value without its key."""
        ...

    def matter(self, commitment: str) -> tuple[Matter, Key] | None:
        """A sealed value and its key, unless either was destroyed."""
        ...

    def attachment(self, sha256: str) -> bytes | None:
        """An attachment's content."""
        ...
