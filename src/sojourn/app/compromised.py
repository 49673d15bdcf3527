"""Begins a new ledger when the signing key of the present one may be in other hands.

A change of keys is no remedy then: the thief can sign one, too. So the old ledger is closed as it is, and a new one
with another name and another key begins in a directory of its own. Its first entry holds the newest checkpoint of the
old one that somebody else vouches for. What the old ledger holds beyond that proves nothing any more, and is kept to be
looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sojourn.domain.events import LedgerBegunAnew
from sojourn.domain.grant import Grant, Status
from sojourn.domain.grant.state import evolve
from sojourn.errors import Code, SojournError
from sojourn.ledger import policy as policies
from sojourn.ledger import rotation as rotations
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.scribe.client import read_entry
from sojourn.settings import Layout, Settings
from sojourn.supervise import sole_use
from sojourn.vault.files import create_private, write_private

from .ambient import operator
from .installation import pinned, prepare, read_settings, require_installation, require_open
from .kept import Kept, reading
from .settled import settings_as_read
from .witnesses import witness_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunAnew:
    """`new` is the key of the ledger that begins, `old` that of the closed one; what is `before` it.

    `unproven` is the number of entries of the old ledger that nobody else vouches for. `live` are accesses of the old
    ledger that it has not seen to their end.
    """

    old: Verifier
    new: Verifier
    before: Checkpoint
    witnessed: bool
    unproven: int
    live: tuple[str, ...]


def begin_anew(old: Layout, new: Layout, *, cause: str, given: Path | None, leave_live: bool) -> BegunAnew:
    """Close the ledger of `old`, and let that of `new`, which has not begun yet, follow it. May be called again.

    `given` is a file with a checkpoint of the old ledger from somebody else, where no witness has cosigned any. Raises
    SojournError `input.invalid` when there is none that could be believed, when `new` has begun, or shares its name,
    its key or its store with `old`, and, unless `leave_live`, when an access is live; `data.directory_busy` while
    Sojourn runs in one of them; and as `installation.signing_key` does for the new key.
    """
    require_installation(old)
    require_installation(new)
    if new.root == old.root:
        raise _unusable("the new ledger cannot lie where the old one does", "another data directory")
    require_open(new)
    settings = read_settings(new)
    for layout in (old, new):
        layout.run.mkdir(mode=0o700, exist_ok=True)
    with sole_use(old), sole_use(new):
        key = _key_of(old)
        _check_apart(old, new, settings, key)
        with reading(old) as kept:
            note, checkpoint, witnessed = _vouched_for(old, kept, key, given)
            live = tuple(_live(kept))
            unproven = max(0, kept.size() - checkpoint.size)
        if live and not leave_live:
            raise _unusable(f"{len(live)} accesses are live, such as {live[0]}", "that they are ended, or --leave-live")
        said = LedgerBegunAnew(checkpoint=note, vkey=key.vkey(), witnessed=witnessed, cause=cause, operator=operator())
        if read_before(new) is None:
            create_private(new.before, msgspec.json.encode(said))
        prepare(new, settings)
        follower = _key_of(new)
        if follower.public == key.public:
            raise _unusable("the new ledger has the same key", "another key at scribe.signing_key")
        write_private(old.closed, f"{follower.vkey()}\n".encode())
    return BegunAnew(old=key, new=follower, before=checkpoint, witnessed=witnessed, unproven=unproven, live=live)


def read_before(layout: Layout) -> LedgerBegunAnew | None:
    """What the first entry has to say of the ledger before; None where there is none. Raises `record.damaged`."""
    try:
        return msgspec.json.decode(layout.before.read_bytes(), type=LedgerBegunAnew)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise SojournError(
            Code.RECORD_DAMAGED, problem=f"{layout.before} cannot be read ({error})", path=str(layout.ledger)
        ) from error


def _key_of(layout: Layout) -> Verifier:
    key = pinned(layout.verifier_key, layout)
    if key is None:
        raise _unusable(f"the ledger in {layout.root} has not begun", "the data directory of a ledger")
    return key


def _check_apart(old: Layout, new: Layout, settings: Settings, key: Verifier) -> None:
    if settings.scribe.origin == key.name:
        raise _unusable(f"the new ledger has the same name, {key.name}", "another scribe.origin in its settings")
    before = settings_as_read(old)
    if settings.scribe.store and settings.scribe.store == before.scribe.store:
        raise _unusable("both ledgers are in one database", "another scribe.store in the settings of the new one")
    s3, s3_before = settings.publisher.s3, before.publisher.s3
    if s3.bucket and (s3.endpoint, s3.bucket, s3.prefix) == (s3_before.endpoint, s3_before.bucket, s3_before.prefix):
        raise _unusable("both ledgers are published in one place", "another publisher.s3.prefix for the new one")
    if new.ledger.exists() or (new.verifier_key.exists() and not new.before.exists()):
        raise _unusable(f"the ledger in {new.root} has begun", "a data directory in which Sojourn never ran")


def _vouched_for(old: Layout, kept: Kept, key: Verifier, given: Path | None) -> tuple[str, Checkpoint, bool]:
    """The newest checkpoint that somebody else vouches for: the cosigned one, or one that was given."""
    path = old.cosigned if given is None else given
    try:
        note = path.read_text()
        chain = rotations.follow(_statements(kept))
        checkpoint = rotations.open_checkpoint(note, key, chain)
    except (OSError, UnicodeDecodeError, LedgerError) as error:
        raise _unusable(
            f"{path} holds no checkpoint of this ledger ({error})".replace(".)", ")"),
            "one that witnesses have cosigned, or --checkpoint FILE with one that somebody else holds",
        ) from error
    witnessed = _is_witnessed(old, note, [key, *(one for step in chain for one in (step.old, step.new))])
    if given is None and not witnessed:
        raise _unusable(f"no quorum has cosigned {path}", "--checkpoint FILE with one that somebody else holds")
    return note, checkpoint, witnessed


def _is_witnessed(old: Layout, note: str, keys: Sequence[Verifier]) -> bool:
    policy = witness_policy(settings_as_read(old))
    if policy is None or policy.quorum == policies.NONE:
        return False
    try:
        policies.accept(policy, note, keys)
    except LedgerError:
        return False
    return True


def _statements(kept: Kept) -> list[str]:
    from sojourn.domain.events import LedgerKeyRotated
    from sojourn.domain.identifiers import LEDGER
    from sojourn.scribe import codec

    events = (codec.decode(one.kind, one.body) for one in kept.stream(LEDGER))
    return [event.statement for event in events if isinstance(event, LedgerKeyRotated)]


def _live(kept: Kept) -> list[str]:
    """Accesses whose removal is not on record. A key thief cannot be believed, but what is live has to be looked at."""
    grants: dict[str, Grant | None] = {}
    for data in kept.raw(0, kept.size()):
        if b'"stream":"grant/' in data:
            recorded = read_entry(data)
            if recorded.stream.startswith("grant/"):
                grants[recorded.stream] = evolve(grants.get(recorded.stream), recorded.event)
    return [str(grant.id) for grant in grants.values() if grant is not None and grant.status is not Status.REMOVED]


def _unusable(problem: str, expected: str) -> SojournError:
    return SojournError(Code.INPUT_INVALID, problem=problem, expected=expected)
