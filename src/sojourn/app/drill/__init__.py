"""The tamper drill: does to clones of the ledger what an attacker would do to it, and shows what notices.

Each clone is signed anew with a key made for the drill, and cosigned by a witness made for it. So the drill never
touches the ledger's own key, works wherever that is kept, and can play the thief of a key too. Sealed values,
attachments and time stamps are the ledger's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sojourn.app.installation import require_installation
from sojourn.app.self_check import openers, timestamp_roots
from sojourn.app.settled import settings_as_read
from sojourn.app.stamps import Trust
from sojourn.errors import Code, SojournError
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.note import SigningKey, Verifier
from sojourn.settings import Layout, Settings

from . import forging
from .attacks import ATTACKS, Act, cosign
from .clones import FILE, Clone, Ground, clone_file
from .looks import BESIDE, COSIGNED, SCRIBE, VERIFIER, VERIFIER_SINCE, Caught, Eyes

__all__ = [
    "ATTACKS",
    "BESIDE",
    "COSIGNED",
    "SCRIBE",
    "VERIFIER",
    "VERIFIER_SINCE",
    "Attack",
    "Caught",
    "Drilled",
    "Untried",
    "drill",
]

ENTRIES_MIN = 8


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
class Untried:
    """An attack for which this ledger gives no occasion, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """The result. `untouched` are the looks at a clone to which nothing was done: they must find nothing.

    If they do, the ledger is not sound, and there are no attacks: whatever they showed would prove nothing.
    """

    size: int
    store: str
    untouched: tuple[Caught, ...]
    attacks: tuple[Attack, ...]
    untried: tuple[Untried, ...]

    @property
    def passed(self) -> bool:
        """Whether every attack was caught, and nothing was found where nothing had been done."""
        sound = not any(look.problem for look in self.untouched)
        return sound and bool(self.attacks) and all(attack.caught for attack in self.attacks)


def drill(layout: Layout, *, directory: Path, seed: bytes, maker: str = "") -> Drilled:
    """Clone the ledger for each attack, do it, and look. `seed` (32 bytes) is that of the drill's keys.

    Clones of a file lie in `directory`; those of a database on its own server, where `maker` is the address of somebody
    who may make databases, and are removed at the end. Raises SojournError `input.invalid` when the ledger is too small
    or cannot be cloned, `record.damaged` when it cannot be read.
    """
    require_installation(layout)
    settings = settings_as_read(layout)
    first = directory / "untouched"
    first.mkdir(mode=0o700)
    with _cloned(layout, settings, first, maker, seed) as ground:
        untouched = _prepared(layout, settings, first, ground, seed)
        key = Verifier.parse(layout.verifier_key.read_text().strip())
        eyes = Eyes(openers=openers(layout), trust=_trust(layout, settings, key))
        looks = eyes.look(untouched)
        attacks, untried = list[Attack](), list[Untried]()
        if not any(look.problem for look in looks):
            for number, (name, (what, act)) in enumerate(ATTACKS.items(), 1):
                found = _attack(untouched, eyes, name, what, act, number)
                attacks.append(found) if isinstance(found, Attack) else untried.append(found)
    kind = "postgresql" if settings.scribe.store else "file"
    return Drilled(
        size=len(untouched.history), store=kind, untouched=looks, attacks=tuple(attacks), untried=tuple(untried)
    )


@contextmanager
def _cloned(layout: Layout, settings: Settings, directory: Path, maker: str, seed: bytes) -> Iterator[Ground]:
    if not settings.scribe.store:
        if not layout.ledger.exists():
            raise _invalid("There is no ledger.db to clone", "a ledger that has begun")
        yield clone_file(layout.ledger, directory / FILE)
        return
    if not maker:
        raise _invalid(
            "The ledger lies in PostgreSQL, so its clones do too",
            "--database with an address of somebody who may make databases on that server",
        )
    from .database import clone_database, drop_databases

    name = hashlib.sha256(seed).hexdigest()[:12]
    try:
        yield clone_database(settings.scribe.store, maker, directory, name)
    finally:
        drop_databases(maker, name)


def _prepared(layout: Layout, settings: Settings, directory: Path, ground: Ground, seed: bytes) -> Clone:
    """The clone to which nothing is done: signed and cosigned with the keys of the drill."""
    history = forging.read_from(ground.tables)
    if len(history) < ENTRIES_MIN:
        raise _invalid(f"There are {len(history)} entries", f"a ledger of at least {ENTRIES_MIN}")
    clone = Clone(
        directory=directory,
        ground=ground,
        history=history,
        key=SigningKey.generate(settings.scribe.origin, seed),
        witness=CosigningKey.generate("drill.invalid/witness", hashlib.sha256(seed).digest()),
        readable=frozenset(openers(layout)),
    )
    note = forging.sign_in(ground.tables, clone.sizes, clone.key)
    clone.anchor.write_text(note)
    cosign(clone, note, 0)
    return clone


def _attack(untouched: Clone, eyes: Eyes, name: str, what: str, act: Act, number: int) -> Attack | Untried:
    directory = untouched.directory.with_name(name)
    directory.mkdir(mode=0o700)
    clone = replace(untouched, directory=directory, ground=untouched.ground.copied(directory, number))
    for path, held in ((clone.anchor, untouched.anchor), (clone.cosigned, untouched.cosigned)):
        path.write_text(held.read_text())
    why = act(clone)
    return Untried(name=name, why=why) if why else Attack(name=name, what=what, looks=eyes.look(clone))


def _trust(layout: Layout, settings: Settings, key: Verifier) -> Trust:
    timestamp = settings.timestamp
    return Trust(
        key=key,
        roots=timestamp_roots(layout.configuration / timestamp.root, required=False),
        apart=timestamp.clocks_apart_max + timedelta(seconds=timestamp.answer_seconds),
    )


def _invalid(problem: str, expected: str) -> SojournError:
    return SojournError(Code.INPUT_INVALID, problem=problem, expected=expected)
