"""What makes a report a pack that `sojourn-verify` checks: entries with their proofs, and what these entries name.

A report carries the first entry of the record, and each configuration that was in force in its period, with its files.
So whoever has it can check offline that its checkpoint is the ledger's, and which rules the report was made under.

A report of some targets alone carries no such files, for they are about all of them: it names each with its hash, which
the proven entry has too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sojourn.domain.events import ConfigurationAdopted
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import LEDGER
from sojourn.domain.publication import statements
from sojourn.domain.window import Window
from sojourn.evidence.accesses import Books
from sojourn.evidence.pack import entry_files
from sojourn.evidence.reports.parameters import Backing, LeftOut
from sojourn.ledger.proving import ProvingTree
from sojourn.scribe import codec
from sojourn.scribe.client import read_entry

from .kept import Kept

SCOPED = "it is about more than the targets of this report; the pack of each event has what applied to it"


def back(
    kept: Kept, tree: ProvingTree, books: Books, period: Window, note: str, *, targets: Sequence[str] = ()
) -> Backing:
    """The files behind a report of `targets` (none for all). `tree` holds every entry under the checkpoint `note`.

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
    left_out: dict[str, LeftOut] = {}
    for name, sha256 in (found for one in adopted for found in _named(one)):
        content = None if targets else kept.attachment(sha256)
        if content is not None:
            files[f"attachments/{sha256}"] = content
        else:
            left_out[sha256] = LeftOut(file=name, sha256=sha256, why=SCOPED if targets else "it is no longer kept")
    turns = statements(codec.decode(one.kind, one.body) for one in kept.stream(LEDGER))
    if turns:
        files["rotations"] = turns.encode()
    return Backing(subject=read_entry(first).stream, files=files, left_out=tuple(left_out.values()))


def _named(one: Recorded) -> Iterator[tuple[str, str]]:
    """Each file of a configuration, and its SHA-256."""
    assert isinstance(one.event, ConfigurationAdopted)
    yield f"catalogue of version {one.version}", one.event.catalogue_sha256
    for file in one.event.files:
        yield f"{file.name} of version {one.version}", file.sha256


def _in_force(books: Books, period: Window) -> Iterator[Recorded]:
    """The configurations that were in force at some moment of the period."""
    before = books.configurations.in_force(period.start)
    for version, one in books.configurations.adopted.items():
        if version == before or period.contains(one.at):
            yield one
