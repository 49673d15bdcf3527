"""An installation verifies what it has recorded and published, with its own key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509

from sojourn.errors import Code, SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.publisher.files import Files
from sojourn.publisher.folder import CHECKPOINT, place_of
from sojourn.publisher.token import TokenError, read_roots
from sojourn.settings import Layout, Settings
from sojourn.vault.opener import Opener

from .beside import check_beside
from .database_check import verify_database
from .installation import EVIDENCE, GATEWAY, key_pair, require_installation
from .kept import damaged, reading
from .publisher import published_files
from .settled import settings_as_read
from .stamps import Trust, check_stamps
from .verifying import Verdict, verify, verify_file

TRIES = 5
"""A busy publisher has another checkpoint every few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfChecked:
    """What was found in each place."""

    verdicts: tuple[Verdict, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found anywhere."""
        return all(one.sound for one in self.verdicts)


def check_itself(layout: Layout, timestamp_root: Path | None = None) -> SelfChecked:
    """Verify the store, which has to extend the anchor, the published folder, and what entries bind: sealed values,
    attachments and time stamps.

    `timestamp_root` (PEM) is what stamps have to lead to, instead of the file in the configuration folder. Raises
    SojournError `data.directory_missing`, `input.invalid` for that file, or `record.damaged` when there is no key.
    """
    require_installation(layout)
    settings = settings_as_read(layout)
    try:
        key = Verifier.parse(layout.verifier_key.read_text().strip())
    except (OSError, LedgerError) as error:
        raise damaged(layout.verifier_key, "its verifier key cannot be read") from error
    verdicts = []
    if settings.scribe.store:
        with reading(layout) as kept:
            verdicts.append(verify_database(kept, key, layout.anchor))
    else:
        since = layout.anchor if layout.anchor.exists() else None
        verdicts.append(verify_file(layout.ledger, keys=[key.vkey()], since=since))
    files = published_files(layout, settings)
    if files is not None and (files.root / "tile").exists():
        verdicts.append(_verify_folder(files, key))
    if all(one.sound for one in verdicts):
        verdicts += _verify_bound(layout, settings, key, timestamp_root)
    return SelfChecked(verdicts=tuple(verdicts))


def _verify_folder(files: Files, key: Verifier) -> Verdict:
    """Verify a folder into which the publisher may be writing: what is found counts once the folder stood still."""
    before, verdict = files.read(CHECKPOINT), verify(files.root, key=key.vkey())
    for _ in range(TRIES - 1):
        after = files.read(CHECKPOINT)
        if verdict.sound or after == before:
            break
        before, verdict = after, verify(files.root, key=key.vkey())
    return Verdict(target=place_of(files), size=verdict.size, checked=verdict.checked, problems=verdict.problems)


def _verify_bound(layout: Layout, settings: Settings, key: Verifier, given: Path | None) -> list[Verdict]:
    """Check what the entries of a store that was found sound bind: sealed values, attachments and time stamps."""
    timestamp = settings.timestamp
    trust = Trust(
        key=key,
        roots=timestamp_roots(
            layout.configuration / timestamp.root if given is None else given, required=given is not None
        ),
        apart=timestamp.clocks_apart_max + timedelta(seconds=timestamp.answer_seconds),
    )
    with reading(layout) as kept:
        beside = check_beside(kept, openers(layout))
        # Stamps that are damaged beside the ledger would be told twice.
        stamped = check_stamps(kept, trust) if beside.sound else None
    return [beside, *([stamped] if stamped else [])]


def openers(layout: Layout) -> dict[str, Opener]:
    """What opens the sealed values of an installation, by recipient, as far as its private keys are there."""
    return {
        recipient: Opener(key_pair(layout, recipient))
        for recipient in (EVIDENCE, GATEWAY)
        if (layout.keys / f"{recipient}.key").exists()
    }


def timestamp_roots(path: Path, *, required: bool) -> tuple[x509.Certificate, ...]:
    """The certificates in a file; none where it is not `required` and cannot be used.

    Raises SojournError `input.invalid`.
    """
    try:
        return read_roots(path.read_bytes())
    except (OSError, TokenError) as error:
        if not required:
            return ()
        raise SojournError(
            Code.INPUT_INVALID, problem=f"{path} holds no certificate", expected="a root certificate in PEM form"
        ) from error
