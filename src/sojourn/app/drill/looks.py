"""Who looks at a clone, and what each of them has to go by."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sojourn.app.ambient import SystemClock
from sojourn.app.beside import check_beside
from sojourn.app.stamps import Trust, check_stamps
from sojourn.app.verifying import Verdict, verify_file
from sojourn.errors import Code, SojournError
from sojourn.ledger import policy as policies
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.policy import Policy
from sojourn.scribe.recovery import recover
from sojourn.scribe.store import StoreError
from sojourn.vault.opener import Opener

from .clones import Clone

VERIFIER = "verification of the store"
VERIFIER_SINCE = "verification since a checkpoint"
SCRIBE = "start of the scribe"
BESIDE = "sojourn audit verify"
COSIGNED = "cosigned checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """What one of those who look found, and after how long; `problem` is empty when it noticed nothing."""

    by: str
    problem: str
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """What is needed to look: the private keys that open sealed values, and whom time stamps have to lead to."""

    openers: Mapping[str, Opener]
    trust: Trust

    def look(self, clone: Clone) -> tuple[Caught, ...]:
        """Everybody looks, one after another."""
        return (
            _timed(VERIFIER, lambda: _verified(clone, None)),
            # A checkpoint beside the store counts as kept apart from it, as the scribe's anchor is.
            _timed(VERIFIER_SINCE, lambda: _verified(clone, clone.anchor)),
            _timed(SCRIBE, lambda: _started(clone)),
            _timed(BESIDE, lambda: self._bound(clone)),
            _timed(COSIGNED, lambda: _witnessed(clone)),
        )

    def _bound(self, clone: Clone) -> str:
        """What the installation's own check of that which entries bind finds."""
        # Fresh ones each time: an opener remembers the keys of the clone before.
        openers = {name: Opener(one.pair) for name, one in self.openers.items()}
        with clone.ground.kept() as kept:
            found = _first(check_beside(kept, openers))
            stamps = None if found else check_stamps(kept, self.trust)
            return found or (_first(stamps) if stamps else "")


def policy_of(clone: Clone) -> Policy:
    """What an auditor asks for: the drill's witness has to have cosigned."""
    return policies.parse(f"witness drill {clone.witness.cosigner().vkey()}\nquorum drill\n".encode())


def _timed(by: str, look: Callable[[], str]) -> Caught:
    begun = time.monotonic()
    try:
        problem = look()
    except SojournError as error:
        problem = f"{error.code}: {error.refusal.sentence}"
    except (sqlite3.DatabaseError, StoreError) as error:
        problem = f"{Code.RECORD_DAMAGED}: {error}"
    return Caught(by=by, problem=problem, milliseconds=round((time.monotonic() - begun) * 1000))


def _first(verdict: Verdict) -> str:
    if verdict.sound:
        return ""
    first = verdict.problems[0]
    return f"{first['code']}: {first['where']}: {first['text']}"


def _verified(clone: Clone, since: Path | None) -> str:
    with clone.ground.verifiable() as target:
        return _first(verify_file(target, keys=[clone.key.vkey()], since=since))


def _started(clone: Clone) -> str:
    with clone.ground.store() as store:
        recover(
            store,
            path=Path(store.directory),
            anchor=clone.anchor,
            key=clone.key,
            clock=SystemClock().now,
            has_room=lambda _: True,
        )
    return ""


def _witnessed(clone: Clone) -> str:
    """What somebody finds who holds a cosigned checkpoint and compares the clone with it."""
    note = clone.cosigned.read_text()
    try:
        policies.accept(policy_of(clone), note, [clone.key.verifier()])
    except LedgerError as error:
        return f"cosignature: {error}"
    return _verified(clone, clone.cosigned)
