"""Changes the key that signs the ledger: begins it, and ends it once everybody holds what the new key has signed.

The two steps are two files. `ledger.next.vkey` says that a change is under way: while it is there, both keys sign.
`ledger.vkey` is the key that everything else of the installation trusts; it moves at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.settings import Layout, Settings
from sojourn.supervise import sole_use
from sojourn.vault.signing.address import FileAddress, parse_address
from sojourn.vault.signing.place import make_key

from .anchors import Anchor, anchors, read_anchors
from .installation import (
    next_signing_file,
    open_next_key,
    pin,
    pinned,
    require_installation,
    require_open,
    signing_file,
)
from .settled import settings_as_read


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A change that is under way."""

    old: Verifier
    new: Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The key that signs alone now; `address` is where it is kept, and `before` where the settings still look."""

    new: Verifier
    address: str
    before: str


def rotate(layout: Layout) -> Begun:
    """Begin to change the key, or say again which change is under way.

    Raises SojournError `data.directory_busy` while Sojourn runs, `settings.invalid` when the next key is the present
    one, and as `installation.signing_key` does for the next key.
    """
    require_installation(layout)
    require_open(layout)
    settings = settings_as_read(layout)
    layout.run.mkdir(mode=0o700, exist_ok=True)
    with sole_use(layout):
        old = _present(layout)
        new = pinned(layout.next_verifier_key, layout)
        if new is None:
            if parse_address(settings.scribe.next_signing_key) == FileAddress():
                make_key(next_signing_file(layout), old.name)
            new = open_next_key(layout, settings, old.name, None).verifier()
            if new == old or new.name != old.name:
                raise SojournError(
                    Code.SETTINGS_INVALID,
                    name="scribe.next_signing_key",
                    problem="the ledger's present key lies there, or another ledger's",
                    expected="where another key lies",
                )
            pin(layout.next_verifier_key, new)
        return Begun(old=old, new=new)


def finish(layout: Layout, warn: Callable[[str], object]) -> Finished:
    """Let the new key sign alone. May be called again after a crash in the midst of it.

    Who does not answer is told to `warn`. Raises SojournError `input.invalid` when no change is under way, when the new
    key has not signed yet, and when a copy or a witness has only what the old key signed; `publication.conflict` when
    one of them holds something else; `data.directory_busy` while Sojourn runs.
    """
    require_installation(layout)
    settings = settings_as_read(layout)
    layout.run.mkdir(mode=0o700, exist_ok=True)
    with sole_use(layout):
        old, new = _present(layout), pinned(layout.next_verifier_key, layout)
        if new is None:
            raise SojournError(
                Code.INPUT_INVALID, problem="No key is being changed", expected="`sojourn signing-key rotate` before"
            )
        address = settings.scribe.next_signing_key
        if old != new:
            _check_signed(layout, old, new)
            _check_copies(layout, settings, old, new, warn)
            pin(layout.verifier_key, new)
        if parse_address(address) != FileAddress():
            signing_file(layout).unlink(missing_ok=True)
        elif next_signing_file(layout).exists():
            next_signing_file(layout).rename(signing_file(layout))
        layout.next_verifier_key.unlink()
        return Finished(new=new, address=address, before=settings.scribe.signing_key)


def _present(layout: Layout) -> Verifier:
    key = pinned(layout.verifier_key, layout)
    if key is None:
        raise SojournError(
            Code.INPUT_INVALID,
            problem=f"The ledger in {layout.root} has not begun",
            expected="a ledger that has a key to change",
        )
    return key


def _check_signed(layout: Layout, old: Verifier, new: Verifier) -> None:
    """The scribe has taken the new key up, and both keys have signed since."""
    try:
        note = layout.anchor.read_text()
        for key in (old, new):
            checkpoints.open(note, key)
    except (OSError, LedgerError, UnicodeDecodeError) as error:
        raise SojournError(
            Code.INPUT_INVALID,
            problem="The new key has not signed yet",
            expected="that Sojourn has run with both keys: start it, and stop it again",
        ) from error


def _check_copies(
    layout: Layout, settings: Settings, old: Verifier, new: Verifier, warn: Callable[[str], object]
) -> None:
    """Every copy and witness that answers has something that the new key signed, too."""

    def silent(text: str, **about: str) -> None:
        warn(f"{about['place']}: {text} {about.get('problem', '')}".rstrip())

    answering = {seen.place for seen in read_anchors(anchors(layout, settings, old), silent)}
    for anchor in anchors(layout, settings, new):
        if anchor.place in answering and not _has_signed(anchor):
            raise SojournError(
                Code.INPUT_INVALID,
                problem=f"{anchor.place} has only what the old key has signed so far",
                expected="that Sojourn has run with both keys until all was published: start it, and stop it later",
            )


def _has_signed(anchor: Anchor) -> bool:
    try:
        return anchor.read() is not None
    except (OSError, SojournError):
        return False
