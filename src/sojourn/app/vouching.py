"""Packs of several access events at once, and the proof that evidence was given: its detached signature.

The signature of a pack is the ledger's own: the entry `evidence.given` names its SHA-256 and to whom it was given, and
that entry's proof leads to a checkpoint that the ledger's key has signed. No other key vouches for anything.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from sojourn.domain.events import EvidenceGiven
from sojourn.domain.identifiers import EVIDENCE
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.proof import Proof
from sojourn.scribe.client import ScribeClient, read_entry
from sojourn.web.services import Bundle, Vouched

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


async def bundle(
    directory: Path, name: str, requests: Sequence[str], pack: Callable[[str], Awaitable[bytes]]
) -> Bundle:
    """A ZIP of the packs of these access events, each made when its turn comes; the one before it is replaced.

    Raises SojournError as `pack` does, and OSError.
    """
    await asyncio.to_thread(directory.mkdir, mode=0o700, parents=True, exist_ok=True)
    path, partial = directory / f"{name}.zip", directory / f"{name}.partial"
    # Packs are compressed already.
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for request in requests:
            content = await pack(request)
            info = zipfile.ZipInfo(f"{request}.zip", _ZIP_TIME)
            info.external_attr = 0o644 << 16
            await asyncio.to_thread(archive.writestr, info, content)
    shutil.move(partial, path)
    return Bundle(path=path, sha256=await asyncio.to_thread(_sha256, path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def vouch(ledger: ScribeClient, sha256: str, person: str | None) -> Vouched | None:
    """The last entry that says that evidence of this hash was given to that person (None for anybody), with its proof.

    Raises SojournError from the ledger.
    """
    for data in reversed(await ledger.raw_stream(EVIDENCE)):
        one = read_entry(data)
        event = one.event
        if isinstance(event, EvidenceGiven) and event.sha256 == sha256 and person in (None, event.person):
            note = await ledger.sign()
            size = checkpoints.parse(notes.split(note)[0]).size
            (hashes,) = await ledger.prove([one.seq], size)
            proof = Proof(index=one.seq, hashes=hashes, checkpoint_note=note)
            return Vouched(seq=one.seq, entry=data, proof=proof.format())
    return None
