"""What makes a report a pack that `sojourn-verify` checks: entries with their proofs, and what these entries name.

A report carries the first entry of the record, and each configuration that was in force in its period, with its files.
So whoever has it can check offline that its checkpoint is the ledger's, and which rules the report was made under.
"""

from __future__ import annotations

from collections.abc import Iterator

from sojourn.domain.events import ConfigurationAdopted
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import LEDGER
from sojourn.domain.publication import statements
from sojourn.domain.window import Window
from sojourn.evidence.accesses import Books
from sojourn.evidence.pack import entry_files
from sojourn.evidence.reports.parameters import Backing
from sojourn.ledger.proving import ProvingTree
from sojourn.scribe import codec
from sojourn.scribe.client import read_entry

from .kept import Kept


def back(kept: Kept, tree: ProvingTree, books: Books, period: Window, note: str) -> Backing:
    """The files that back a report up. `tree` holds every entry under the checkpoint `note`.

    Raises LedgerError where an entry of the tree cannot be read again.
    """

    def leaves(start: int, end: int) -> list[bytes]:
        return [leaf for _, leaf, _ in kept.source.hashed(start, end)]

    if not tree.size:
        return Backing()
    (first,) = kept.raw(0, 1)
    adopted = list(_in_force(books, period))
    raw = {0: first} | {one.seq: next(kept.raw(one.seq, one.seq + 1)) for one in adopted}
    files = entry_files(raw, {seq: tree.prove(seq, leaves) for seq in raw}, note)
    for one in adopted:
        event = one.event
        assert isinstance(event, ConfigurationAdopted)
        for sha256 in (event.catalogue_sha256, *(file.sha256 for file in event.files)):
            content = kept.attachment(sha256)
            if content is not None:
                files[f"attachments/{sha256}"] = content
    turns = statements(codec.decode(one.kind, one.body) for one in kept.stream(LEDGER))
    if turns:
        files["rotations"] = turns.encode()
    return Backing(subject=read_entry(first).stream, files=files)


def _in_force(books: Books, period: Window) -> Iterator[Recorded]:
    """The configurations that were in force at some moment of the period."""
    before = books.configurations.in_force(period.start)
    for version, one in books.configurations.adopted.items():
        if version == before or period.contains(one.at):
            yield one
