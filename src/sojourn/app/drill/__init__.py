"""The tamper drill: does to clones of the ledger what an attacker would do to it, and shows what notices.

Each clone is signed anew with a key made for the drill. So the drill never touches the ledger's own key, works wherever
that is kept, and can play the thief of a key too.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sojourn.app.ambient import SystemClock
from sojourn.app.installation import read_settings, require_installation
from sojourn.app.verifying import verify
from sojourn.errors import Code, SojournError
from sojourn.ledger.note import SigningKey
from sojourn.scribe.recovery import recover
from sojourn.scribe.sqlite_store import SqliteStore
from sojourn.settings import Layout

from . import forging

ENTRIES_MIN = 8
VERIFIER = "sojourn-verify"
VERIFIER_SINCE = "sojourn-verify --since"
SCRIBE = "start of the scribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """What one of those who look found, and after how long; `problem` is empty when it noticed nothing."""

    by: str
    problem: str
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One thing that was done to a clone, and who noticed."""

    name: str
    what: str
    looks: tuple[Caught, ...]

    @property
    def caught(self) -> bool:
        """Whether anybody noticed."""
        return any(look.problem for look in self.looks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """The result. `untouched` are the looks at a clone to which nothing was done: they must find nothing.

    If they do, the ledger is not sound, and there are no attacks: whatever they showed would prove nothing.
    """

    size: int
    untouched: tuple[Caught, ...]
    attacks: tuple[Attack, ...]

    @property
    def passed(self) -> bool:
        """Whether every attack was caught, and nothing was found where nothing had been done."""
        sound = not any(look.problem for look in self.untouched)
        return sound and all(attack.caught for attack in self.attacks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clone:
    """A directory with a clone of the store and its anchor, and the history that is in it."""

    directory: Path
    history: Sequence[bytes]
    key: SigningKey

    @property
    def store(self) -> Path:
        """The clone."""
        return self.directory / "ledger.db"

    @property
    def sizes(self) -> tuple[int, int]:
        """The sizes at which it is signed: half, and whole."""
        return len(self.history) // 2, len(self.history)


def drill(layout: Layout, *, directory: Path, seed: bytes) -> Drilled:
    """Clone the ledger into `directory` for each attack, do it, and look. `seed` (32 bytes) is that of the drill's key.

    Raises SojournError `input.invalid` when the ledger lies in a database or is too small.
    """
    require_installation(layout)
    settings = read_settings(layout)
    if settings.scribe.store or not layout.ledger.exists():
        raise SojournError(Code.INPUT_INVALID, problem="There is no ledger.db to clone", expected="a ledger in a file")
    key = SigningKey.generate(settings.scribe.origin, seed)
    first = directory / "untouched"
    first.mkdir(mode=0o700)
    _clone(layout.ledger, first / "ledger.db")
    history = forging.read(first / "ledger.db")
    if len(history) < ENTRIES_MIN:
        expected = f"a ledger of at least {ENTRIES_MIN}"
        raise SojournError(Code.INPUT_INVALID, problem=f"There are {len(history)} entries", expected=expected)
    untouched = _Clone(directory=first, history=history, key=key)
    anchor = forging.sign(untouched.store, untouched.sizes, key)
    (first / "checkpoint").write_text(anchor)
    looks, attacks = _look(untouched), tuple[Attack, ...]()
    if not any(look.problem for look in looks):
        attacks = tuple(_attack(untouched, name, what, act) for name, (what, act) in ATTACKS.items())
    return Drilled(size=len(history), untouched=looks, attacks=attacks)


def _clone(source: Path, target: Path) -> None:
    """A consistent copy, also while a scribe writes."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
    target.chmod(0o600)


def _attack(untouched: _Clone, name: str, what: str, act: Callable[[_Clone], None]) -> Attack:
    directory = untouched.directory.with_name(name)
    shutil.copytree(untouched.directory, directory)
    clone = _Clone(directory=directory, history=untouched.history, key=untouched.key)
    act(clone)
    return Attack(name=name, what=what, looks=_look(clone))


def _look(clone: _Clone) -> tuple[Caught, ...]:
    """Let the verifier look, the verifier that knows an older checkpoint, and the scribe as it starts."""
    vkey, anchor = clone.key.vkey(), clone.directory / "checkpoint"
    # A checkpoint beside the store counts as kept apart from it, as the scribe's anchor is.
    return (
        _timed(VERIFIER, lambda: _verified(clone.store, vkey, None)),
        _timed(VERIFIER_SINCE, lambda: _verified(clone.store, vkey, anchor)),
        _timed(SCRIBE, lambda: _started(clone)),
    )


def _timed(by: str, look: Callable[[], str]) -> Caught:
    begun = time.monotonic()
    problem = look()
    return Caught(by=by, problem=problem, milliseconds=round((time.monotonic() - begun) * 1000))


def _verified(store: Path, vkey: str, since: Path | None) -> str:
    verdict = verify(store, key=vkey, since=since)
    if verdict.sound:
        return ""
    first = verdict.problems[0]
    return f"{first['code']}: {first['where']}: {first['text']}"


def _started(clone: _Clone) -> str:
    try:
        with closing(SqliteStore(clone.store)) as store:
            recover(
                store,
                path=clone.store,
                anchor=clone.directory / "checkpoint",
                key=clone.key,
                clock=SystemClock().now,
                has_room=lambda _: True,
            )
    except SojournError as error:
        return f"{error.code}: {error.refusal.sentence}"
    except sqlite3.DatabaseError as error:
        return f"{Code.RECORD_DAMAGED}: {error}"
    return ""


def _flip(clone: _Clone) -> None:
    forging.flip(clone.store, len(clone.history) // 3)


def _alter(clone: _Clone) -> None:
    place = len(clone.history) // 3
    history = [*clone.history]
    history[place] = forging.altered(history[place])
    forging.rewrite(clone.store, history)


def _delete(clone: _Clone) -> None:
    place = len(clone.history) // 3
    forging.rewrite(clone.store, forging.renumbered([*clone.history[:place], *clone.history[place + 1 :]]))


def _truncate(clone: _Clone) -> None:
    forging.rewrite(clone.store, clone.history[:-1])


def _reorder(clone: _Clone) -> None:
    place = len(clone.history) // 3
    history = [*clone.history]
    # Two that stay what they were when they change places are no reordering, so the first goes behind all others.
    history.insert(len(history) - 1, history.pop(place))
    forging.rewrite(clone.store, forging.renumbered(history))


def _backdate(clone: _Clone) -> None:
    place = len(clone.history) // 3
    history = [*clone.history]
    history[place] = forging.backdated(history[place])
    forging.rewrite(clone.store, history)


def _roll_back(clone: _Clone) -> None:
    half = clone.sizes[0]
    forging.rewrite(clone.store, clone.history[:half])
    forging.sign(clone.store, (half,), clone.key)


def _fork(clone: _Clone) -> None:
    _alter(clone)
    forging.sign(clone.store, clone.sizes, clone.key)


ATTACKS: dict[str, tuple[str, Callable[[_Clone], None]]] = {
    "flip": ("one bit of an entry is changed where it lies", _flip),
    "alter": ("an entry says something else; all hashes are made to fit", _alter),
    "delete": ("an entry is gone, the later ones are renumbered; all hashes are made to fit", _delete),
    "truncate": ("the newest entry is gone; all hashes are made to fit", _truncate),
    "reorder": ("an entry stands behind later ones; all hashes are made to fit", _reorder),
    "backdate": ("an entry is an hour earlier; all hashes are made to fit", _backdate),
    "roll-back": ("the store is an older, rightly signed one", _roll_back),
    "fork": ("an entry says something else, and the thief of the key has signed it", _fork),
}
"""What is done to a clone each, by whoever owns the file and drops its triggers."""
