"""Checks what lies beside the entries and is in no proof: attachments and sealed values, each bound by an entry.

- Every attachment that an entry names is there, and is what was named.
- Every sealed value that an entry commits to is there under the key that the entry names. Its key is there too, and
  opens it to what was committed to, as far as the private keys of this installation go; or it was destroyed, and a
  tombstone on record says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sojourn.domain.events import (
    CheckpointStamped,
    ConfigurationAdopted,
    ConfigurationProposed,
    ControlsProved,
    Event,
    KeysDestroyed,
    LedgerDrilled,
    WitnessPolicyAdopted,
)
from sojourn.domain.sealed import Sealed, SealedMatter, SealingKey
from sojourn.errors import SojournError
from sojourn.projections.sealing import sealed_in
from sojourn.scribe import codec

from .kept import Kept
from .verifying import Verdict

if TYPE_CHECKING:
    from sojourn.vault.opener import Opener

TARGET = "beside the ledger"
OVERWRITTEN = "sealed.destroyed"


def attachments_of(event: Event) -> tuple[str, ...]:
    """The attachments (SHA-256, hex) that have to be there because of an event."""
    match event:
        case ConfigurationAdopted() | ConfigurationProposed():
            settings = (event.settings_sha256,) if event.settings_sha256 else ()
            return (event.catalogue_sha256, *settings, *(file.sha256 for file in event.files))
        case WitnessPolicyAdopted():
            return (event.sha256,) if event.sha256 else ()
        case LedgerDrilled() | ControlsProved():
            return (event.result_sha256,)
        case CheckpointStamped():
            return (event.checkpoint_sha256, event.token_sha256, event.root_sha256)
        case _:
            return ()


@dataclass(slots=True)
class _Bound:
    """What entries bind: attachments and sealed values with the entry that names them first, and destroyed keys."""

    attachments: dict[str, int] = field(default_factory=dict)
    sealed: dict[str, tuple[int, Sealed]] = field(default_factory=dict)
    destroyed: set[str] = field(default_factory=set)
    size: int = 0

    def read(self, kept: Kept) -> None:
        """Take in what has come since the last time."""
        end = kept.size()
        for entry in kept.entries(self.size, end):
            event = codec.decode(entry.kind, entry.body)
            for sha256 in attachments_of(event):
                self.attachments.setdefault(sha256, entry.seq)
            for one in sealed_in(event):
                self.sealed.setdefault(one.commitment, (entry.seq, one))
            if isinstance(event, KeysDestroyed):
                self.destroyed.update(event.keys)
        self.size = end


def check_beside(kept: Kept, openers: Mapping[str, Opener]) -> Verdict:
    """What is wrong beside the ledger. `openers` open what was sealed to their recipients.

    Raises SojournError `record.damaged` for bytes that are no entry.
    """
    bound = _Bound()
    bound.read(kept)
    problems = [*_check_attachments(kept, bound.attachments)]
    opened, found = 0, list[tuple[str, str, str, str]]()
    for seq, one in list(bound.sealed.values()):
        problem = _check_sealed(kept, one, openers, destroyed=one.key in bound.destroyed)
        if problem:
            found.append((one.key, f"sealed value {one.commitment} of entry {seq}", *problem))
        else:
            opened += one.key not in bound.destroyed
    # A key may have been destroyed while this went on, as it should be: its tombstone came in the same transaction.
    bound.read(kept)
    for key, where, code, text in found:
        if code != OVERWRITTEN or key not in bound.destroyed:
            problems.append({"code": code, "where": where, "text": text})
    checked = {"attachments": len(bound.attachments), "sealed values": len(bound.sealed), "of them readable": opened}
    return Verdict(target=TARGET, size=None, checked=checked, problems=tuple(problems))


def _check_attachments(kept: Kept, named: Mapping[str, int]) -> Iterator[dict[str, str]]:
    for sha256, seq in named.items():
        content, where = kept.attachment(sha256), f"attachment {sha256} of entry {seq}"
        if content is None:
            yield {"code": "attachment.missing", "where": where, "text": "it is not there"}
        elif hashlib.sha256(content).hexdigest() != sha256:
            yield {"code": "attachment.altered", "where": where, "text": "its content is not the one named"}


def _check_sealed(
    kept: Kept, sealed: Sealed, openers: Mapping[str, Opener], *, destroyed: bool
) -> tuple[str, str] | None:
    """The code and the text of what is wrong with a sealed value, if anything is."""
    matter, key = kept.source.ciphertext(sealed.commitment), kept.source.key(sealed.key)
    if matter is None or key is None:
        return "sealed.missing", f"its {'ciphertext' if matter is None else 'key'} is not there"
    if matter.key != sealed.key:
        return "sealed.altered", "it lies there under another key"
    if not any(key.wrapped):
        return None if destroyed else (OVERWRITTEN, f"key {key.key} was overwritten, and no tombstone says so")
    opener = openers.get(key.recipient)
    if destroyed:
        return "sealed.not_destroyed", f"a tombstone says that key {key.key} was destroyed, and it is there"
    if opener is None:
        return None
    try:
        opener.open(
            SealedMatter(commitment=matter.commitment, key=matter.key, ciphertext=matter.ciphertext),
            SealingKey(key=key.key, subject=key.subject, recipient=key.recipient, wrapped=key.wrapped),
        )
    except SojournError:
        return "sealed.altered", "it does not open to what was committed to"
    return None
