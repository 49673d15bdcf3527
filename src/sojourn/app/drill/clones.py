"""Clones of a ledger: where they lie, and how those who look get at them.

A clone is a directory. A ledger in a file is cloned into it; one in PostgreSQL into another database of its server.
Beside it lies what others hold: the anchor, and a checkpoint that a witness of the drill has cosigned.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sojourn.app.kept import FileSource, Kept, open_file
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.note import SigningKey
from sojourn.scribe.sqlite_store import SqliteStore
from sojourn.scribe.store import Store

from .forging import FileTables, Tables

FILE = "ledger.db"


class Ground(Protocol):
    """One clone of a store."""

    @property
    def tables(self) -> Tables:
        """Its tables, for whoever owns them."""

    def copied(self, directory: Path, number: int) -> Ground:
        """Another clone, the same as this one, that has a number of its own."""

    def verifiable(self) -> AbstractContextManager[Path]:
        """What the offline verifier takes."""

    def store(self) -> AbstractContextManager[Store]:
        """The clone as a scribe opens it."""

    def kept(self) -> AbstractContextManager[Kept]:
        """The clone as it is read."""


@dataclass(frozen=True, slots=True)
class FileGround:
    """Implements `Ground` for a ledger in a file."""

    path: Path

    @property
    def tables(self) -> Tables:
        """See `Ground.tables`."""
        return FileTables(self.path)

    def copied(self, directory: Path, number: int) -> FileGround:
        """See `Ground.copied`."""
        shutil.copyfile(self.path, directory / FILE)
        (directory / FILE).chmod(0o600)
        return FileGround(directory / FILE)

    @contextmanager
    def verifiable(self) -> Iterator[Path]:
        """See `Ground.verifiable`."""
        yield self.path

    def store(self) -> AbstractContextManager[Store]:
        """See `Ground.store`."""
        return closing(SqliteStore(self.path))

    @contextmanager
    def kept(self) -> Iterator[Kept]:
        """See `Ground.kept`."""
        with open_file(self.path) as connection:
            yield Kept(source=FileSource(connection), path=self.path)


def clone_file(source: Path, target: Path) -> FileGround:
    """A consistent copy of a file, also while a scribe writes."""
    with open_file(source) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
    target.chmod(0o600)
    return FileGround(target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """A clone, the history that is in it, and the keys of the drill: the ledger's and a witness's.

    `readable` are the recipients whose sealed values can be opened here.
    """

    directory: Path
    ground: Ground
    history: Sequence[bytes]
    key: SigningKey
    witness: CosigningKey = field(repr=False)
    readable: frozenset[str] = frozenset()

    @property
    def tables(self) -> Tables:
        """The clone's tables, for whoever owns them."""
        return self.ground.tables

    @property
    def anchor(self) -> Path:
        """The last signed checkpoint, which lies apart from the store."""
        return self.directory / "checkpoint"

    @property
    def cosigned(self) -> Path:
        """A checkpoint that the witness has cosigned, as an auditor holds it."""
        return self.directory / "cosigned"

    @property
    def sizes(self) -> tuple[int, int]:
        """The sizes at which it is signed: half, and whole."""
        return len(self.history) // 2, len(self.history)

    @property
    def place(self) -> int:
        """The entry that is attacked where one is."""
        return len(self.history) // 3
