"""Puts the result of a trial on record, under the ledger's signature, and gives the proof of it.

Whoever tries something holds no key of the ledger. The result becomes an attachment of an entry, the scribe signs a
checkpoint over that entry, and the entry's proof leads to it: whoever has the ledger's key can check all of it offline,
with `sojourn-verify RESULT.tlog-proof --entry RESULT.entry --key KEY`, and the hash that the entry names with
`sha256sum`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sojourn.codes import RECORD_WAITS
from sojourn.domain.history import Change
from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.note import Verifier
from sojourn.ledger.proof import Proof
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout

CONNECT_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A result on record: its JSON, the entry that names it, and the proof of that entry."""

    seq: int
    result: bytes
    entry: bytes
    proof: str

    def write(self, path: Path) -> None:
        """Write the three files, named by `path`. Raises SojournError `input.invalid`."""
        try:
            path.write_bytes(self.result)
            path.with_name(path.name + ".entry").write_bytes(self.entry)
            path.with_name(path.name + ".tlog-proof").write_text(self.proof)
        except OSError as error:
            problem = f"{path} cannot be written: {error.strerror}"
            raise SojournError(
                Code.INPUT_INVALID, problem=problem, expected="a file in a folder that is there"
            ) from error


async def sign_result(layout: Layout, change: Change, result: bytes) -> Signed | None:
    """Put `change`, which names the hash of `result`, on record and have it signed; None if nothing runs that could.

    Raises SojournError.
    """
    if not layout.scribe_socket.exists():
        return None
    async with ScribeClient(layout.scribe_socket) as ledger:
        try:
            await ledger.connected(CONNECT_SECONDS)
            receipt = await ledger.append([change], attachments=[result])
            note = await ledger.sign()
            head = checkpoints.open(note, Verifier.parse(layout.verifier_key.read_text().strip()))
            (entry,) = await ledger.raw([receipt.first])
            (hashes,) = await ledger.prove([receipt.first], head.size)
        except SojournError as error:
            if error.code not in RECORD_WAITS:
                raise
            return None
    proof = Proof(index=receipt.first, hashes=hashes, checkpoint_note=note)
    return Signed(seq=receipt.first, result=result, entry=entry, proof=proof.format())
