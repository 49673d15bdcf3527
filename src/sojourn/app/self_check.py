"""An installation verifies what it has recorded and published, with its own key."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.publisher.files import Files
from sojourn.publisher.folder import CHECKPOINT, place_of
from sojourn.settings import Layout

from .installation import read_settings, require_installation
from .kept import damaged
from .publisher import published_files
from .verifying import Verdict, verify

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


def check_itself(layout: Layout) -> SelfChecked:
    """Verify the store, which has to extend the anchor, and the published folder, if there is one.

    Raises SojournError `data.directory_missing`, or `record.damaged` when there is no key or nothing to verify.
    """
    require_installation(layout)
    settings = read_settings(layout)
    try:
        key = Verifier.parse(layout.verifier_key.read_text().strip())
    except (OSError, LedgerError) as error:
        raise damaged(layout.verifier_key, "its verifier key cannot be read") from error
    verdicts = []
    if not settings.scribe.store:
        since = layout.anchor if layout.anchor.exists() else None
        verdicts.append(verify(layout.ledger, key=key.vkey(), since=since))
    files = published_files(layout, settings)
    if files is not None and (files.root / "tile").exists():
        verdicts.append(_verify_folder(files, key))
    if not verdicts:
        raise damaged(layout.ledger, "there is neither a ledger file nor a published folder to verify")
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
