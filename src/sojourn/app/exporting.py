"""Writes the complete, verifiable copy of a ledger into a folder: what the publisher publishes, all at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sojourn.domain.identifiers import LEDGER
from sojourn.domain.publication import statements
from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.publisher.attachments import candidates
from sojourn.publisher.files import Files
from sojourn.publisher.folder import Folder, open_folder
from sojourn.scribe import codec
from sojourn.settings import Layout

from .kept import PAGE, Kept, damaged, reading
from .witnesses import COSIGNED, cosigned_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What the folder holds now. `unsigned` entries were recorded after the newest signature and are left out."""

    directory: str
    origin: str
    entries: int
    attachments: int
    unsigned: int


def export(layout: Layout, directory: Path) -> Exported:
    """Write a copy into a new folder, or bring an earlier copy of this ledger there up to date.

    The newest checkpoint that the witnesses have cosigned comes with it.

    Raises SojournError `record.damaged` when the ledger does not lead to what it signed, `publication.conflict` when
    the folder holds something else, or `input.invalid` when it cannot be written.
    """
    with reading(layout) as kept:
        signed = kept.last_checkpoint()
        if signed is None:
            raise damaged(kept.path, "nothing is signed yet")
        try:
            verifier = Verifier.parse(layout.verifier_key.read_text().strip())
            head = checkpoints.open(signed[1], verifier)
        except (OSError, LedgerError) as error:
            raise damaged(kept.path, f"its checkpoint does not verify ({error})") from error
        try:
            folder = open_folder(Files(root=directory), verifier)
            if folder.size > head.size:
                raise damaged(kept.path, f"{directory} has {folder.size} signed entries, and the ledger {head.size}")
            attachments = _stage(kept, folder, head.size)
            events = (codec.decode(one.kind, one.body) for one in kept.stream(LEDGER))
            folder.publish(signed[1], head, statements(events))
            cosigned = cosigned_note(layout)
            if cosigned and checkpoints.open(cosigned, verifier).size <= head.size:
                folder.files.write(COSIGNED, cosigned.encode())
                folder.files.settle()
        except OSError as error:
            problem = f"{directory} cannot be written: {error.strerror or error}"
            raise SojournError(Code.INPUT_INVALID, problem=problem, expected="a folder with room") from error
        return Exported(
            directory=str(directory),
            origin=head.origin,
            entries=head.size,
            attachments=attachments,
            unsigned=max(0, kept.size() - head.size),
        )


def _stage(kept: Kept, folder: Folder, size: int) -> int:
    """Put all signed entries and their attachments into the folder; gives the number of attachments that lie there."""
    named: set[str] = set()
    for start in range(0, size, PAGE):
        page = list(kept.raw(start, min(start + PAGE, size)))
        if len(page) != min(start + PAGE, size) - start:
            raise damaged(kept.path, f"entries after {start} are missing")
        for sha256 in {name for entry in page for name in candidates(entry)} - named:
            content = kept.attachment(sha256)
            # Not every hash in an entry is that of an attachment.
            if content is not None:
                folder.add_attachment(sha256, content)
                named.add(sha256)
        folder.stage(page[max(0, folder.size - start) :])
    return len(named)
