"""A key that is away is asked again after growing pauses, and by nobody in between."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from sojourn.codes import Code
from sojourn.errors import SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.scribe.patience import PAUSE_MAX, PatientKey
from sojourn.testing.scribe import KEY

from .conftest import Desk, draft


@dataclass(slots=True)
class FarKey:
    """A key that is here or away, at a time that the test says; notes when it was asked."""

    now: float = 0.0
    away: bool = False
    asked: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return KEY.name

    def verifier(self) -> Verifier:
        return KEY.verifier()

    def vkey(self) -> str:
        return KEY.vkey()

    def signature_line(self, text: str) -> str:
        self.asked.append(self.now)
        if self.away:
            raise SojournError(Code.SIGNING_UNAVAILABLE, key="far", problem="away")
        return KEY.signature_line(text)

    def patient(self) -> PatientKey:
        return PatientKey(key=self, monotonic=lambda: self.now, say=self.said.append)


def refused(key: PatientKey) -> None:
    with pytest.raises(SojournError) as error:
        key.signature_line("text\n")
    assert error.value.code is Code.SIGNING_UNAVAILABLE
    assert error.value.refusal.details == {"key": "far", "problem": "away"}


def test_the_pauses_grow_to_their_bound_and_begin_anew_once_the_key_was_back() -> None:
    far = FarKey(away=True)
    key = far.patient()
    for tenth in range(1500):
        far.now = tenth / 10
        refused(key)
    pauses = [later - before for before, later in zip(far.asked, far.asked[1:], strict=False)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, PAUSE_MAX, PAUSE_MAX, PAUSE_MAX]
    assert len(far.said) == 1
    far.away, far.now = False, far.now + PAUSE_MAX
    assert key.signature_line("text\n") == KEY.signature_line("text\n")
    assert len(far.said) == 2 and "back" in far.said[1]
    far.away = True
    far.asked.clear()
    refused(key)
    far.now += 0.5
    refused(key)
    assert len(far.asked) == 2


def test_an_error_of_another_kind_is_not_waited_for() -> None:
    class Wrong(FarKey):
        def signature_line(self, text: str) -> str:
            raise LedgerError("not a key")

    wrong = Wrong()
    for _ in range(2):
        with pytest.raises(LedgerError):
            wrong.patient().signature_line("text\n")
    assert wrong.said == []


def test_what_was_recorded_while_the_key_was_away_is_signed_and_no_entry_is_checked_twice(desk: Desk) -> None:
    far = FarKey(away=True)
    desk.log.key = far.patient()
    for number in range(300):
        desk.append(draft(f"n{number}"))
    for _ in range(3):
        with pytest.raises(SojournError):
            desk.log.sign()
    assert desk.log.read_back.size == 300
    assert desk.log.unchecked_tiles == []
    assert desk.log.signed_size == 0
    far.away, far.now = False, 60.0
    desk.log.sign()
    assert desk.log.signed_size == 300
