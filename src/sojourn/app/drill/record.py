"""Puts the result of a drill on record, under the ledger's signature: see `app.results`."""

from __future__ import annotations

import hashlib

import msgspec

from sojourn.app.ambient import operator
from sojourn.app.results import Signed, sign_result
from sojourn.domain.events import AttackTried, LedgerDrilled
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PUBLICATION
from sojourn.settings import Layout

from . import Attack, Drilled


def result_json(drilled: Drilled) -> bytes:
    """The result as it is kept: canonical JSON."""
    return msgspec.json.encode({"passed": drilled.passed, **msgspec.to_builtins(drilled)}, order="sorted")


async def record(layout: Layout, drilled: Drilled) -> Signed | None:
    """Put the result on record and have it signed; None if nothing runs that could.

    Raises SojournError.
    """
    result = result_json(drilled)
    event = LedgerDrilled(
        size=drilled.size,
        passed=drilled.passed,
        attacks=tuple(map(_tried, drilled.attacks)),
        untried=tuple(one.name for one in drilled.untried),
        result_sha256=hashlib.sha256(result).hexdigest(),
        operator=operator(),
    )
    return await sign_result(layout, Change(stream=PUBLICATION, event=event, seen=None), result)


def _tried(attack: Attack) -> AttackTried:
    """Who was first to find it, those who look being asked in turn."""
    passed = 0
    for look in attack.looks:
        passed += look.milliseconds
        if look.problem:
            return AttackTried(name=attack.name, caught_by=look.by, milliseconds=passed)
    return AttackTried(name=attack.name, caught_by="", milliseconds=passed)
