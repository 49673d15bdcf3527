"""An installation verifies what it has recorded and published, with its own key."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.errors import SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.ledger.tiles import TILE_WIDTH
from sojourn.publisher.files import Files
from sojourn.publisher.folder import place_of, read_checkpoint
from sojourn.publisher.tiles import Tiles
from sojourn.settings import Layout

from .installation import read_settings, require_installation
from .kept import damaged
from .publisher import published_files
from .verifying import Verdict, verify


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
    if files is not None and files.root.exists():
        verdicts.append(_verify_folder(files, key))
    if not verdicts:
        raise damaged(layout.ledger, "there is neither a ledger file nor a published folder to verify")
    return SelfChecked(verdicts=tuple(verdicts))


def _verify_folder(files: Files, key: Verifier) -> Verdict:
    """Check that every tile and bundle of a folder leads to its checkpoint."""
    size, checked, problem = None, 0, ""
    try:
        head = read_checkpoint(files, key)
        if head is not None:
            size, tiles = head.size, Tiles(read=files.read, size=head.size)
            if tiles.root() != head.root:
                raise LedgerError(f"the tiles do not lead to the root that was signed at {size} entries")
            for tile_index in range(-(-size // TILE_WIDTH)):
                tiles.check_bundle(tile_index)
                checked = min(size, (tile_index + 1) * TILE_WIDTH)
    except (OSError, LedgerError) as error:
        problem = str(error)
    except SojournError as error:
        problem = error.refusal.sentence
    found = ({"code": "published.altered", "where": place_of(files), "text": problem},) if problem else ()
    return Verdict(target=place_of(files), size=size, checked={"entries": checked}, problems=found)
