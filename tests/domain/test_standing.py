"""The standing of people: who left, who is away and for whom, who is given nothing new."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sojourn.domain.events import AbsenceDeclared, Event, PersonLeft, TeamsBlocked, TeamsUnblocked
from sojourn.domain.identifiers import AbsenceId, GrantId, PersonId
from sojourn.domain.sealed import Sealed
from sojourn.domain.standing import (
    ABSENCE_MAX,
    ABSENCES_MAX,
    NOTHING_SAID,
    Command,
    DeclareAbsence,
    EndAbsence,
    Leave,
    Return,
    Standing,
    decide,
    evolve,
)
from sojourn.errors import Code, Refusal
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, DAVE, ENGINEERS, ERIN, LEADS

NOW = SimulatedClock().now()
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
REASON = Sealed(commitment="0" * 64, key="k")
PEOPLE = CATALOGUE.people
NOBODY = PersonId("mallory")


def _after(state: Standing, command: Command) -> Standing:
    events = decide(state, command, PEOPLE, NOW)
    assert not isinstance(events, Refusal), events
    for event in events:
        state = evolve(state, event)
    return state


def _refused(state: Standing, command: Command) -> Code:
    refusal = decide(state, command, PEOPLE, NOW)
    assert isinstance(refusal, Refusal), refusal
    assert refusal.sentence and refusal.next_step
    return refusal.code


def _leave(person: PersonId, by: PersonId = ERIN) -> Leave:
    return Leave(person=person, recorded_by=by, reason=REASON, source="t")


def _back(person: PersonId, by: PersonId = ERIN) -> Return:
    return Return(person=person, recorded_by=by, reason=REASON, source="t")


def _away(
    person: PersonId = BOB,
    delegate: PersonId | None = CAROL,
    *,
    begins: timedelta = timedelta(0),
    lasts: timedelta = HOUR,
    name: str = "a-1",
) -> DeclareAbsence:
    start = NOW + begins
    return DeclareAbsence(
        absence=AbsenceId(name), person=person, start=start, end=start + lasts, delegate=delegate, source="t"
    )


def test_who_left_is_gone_until_somebody_records_the_return() -> None:
    gone = _after(NOTHING_SAID, _leave(BOB))
    assert gone.left == {BOB} and gone.version == 1
    assert _refused(gone, _leave(BOB)) is Code.PERSON_LEFT
    back = _after(gone, _back(BOB))
    assert back.left == frozenset() and back.version == 2
    assert _refused(back, _back(BOB)) is Code.PERSON_PRESENT


@pytest.mark.parametrize("by", [ALICE, BOB, NOBODY])
def test_only_an_administrator_who_is_there_records_departures_and_returns(by: PersonId) -> None:
    gone = _after(NOTHING_SAID, _leave(BOB))
    assert _refused(NOTHING_SAID, _leave(CAROL, by)) is Code.PERMISSION_DENIED
    assert _refused(gone, _back(BOB, by)) is Code.PERMISSION_DENIED


def test_nobody_unknown_leaves_and_never_the_last_administrator() -> None:
    assert _refused(NOTHING_SAID, _leave(NOBODY)) is Code.PERSON_UNKNOWN
    assert _refused(NOTHING_SAID, _leave(ERIN)) is Code.ADMINISTRATOR_LAST


def test_an_absence_counts_in_its_window_and_only_for_who_was_named() -> None:
    state = _after(NOTHING_SAID, _away(begins=HOUR))
    for moment, away in ((NOW, False), (NOW + HOUR, True), (NOW + 2 * HOUR - TICK, True), (NOW + 2 * HOUR, False)):
        assert state.away(BOB, moment) is away
        assert state.delegators(CAROL, moment) == ((BOB,) if away else ())
        assert state.delegate_of(BOB, moment) == (CAROL if away else None)
        assert not state.away(CAROL, moment) and not state.delegators(DAVE, moment)


def test_the_absence_declared_last_counts() -> None:
    state = _after(_after(NOTHING_SAID, _away(lasts=2 * HOUR)), _away(delegate=DAVE, begins=HOUR, name="a-2"))
    assert state.delegate_of(BOB, NOW + HOUR) == DAVE


def test_an_absence_that_is_to_come_leaves_the_present_one_as_it_is() -> None:
    state = _after(_after(NOTHING_SAID, _away()), _away(delegate=DAVE, begins=3 * HOUR, name="a-2"))
    assert state.delegators(CAROL, NOW) == (BOB,) and state.away(BOB, NOW + HOUR - TICK)
    assert state.delegators(DAVE, NOW + 3 * HOUR) == (BOB,)


def test_what_is_over_ends_on_record_when_the_same_person_declares_another() -> None:
    state = _after(_after(NOTHING_SAID, _away()), _away(person=ALICE, name="a-2"))
    events = decide(state, _away(begins=HOUR, name="a-3"), PEOPLE, NOW + HOUR)
    assert not isinstance(events, Refusal)
    assert [(one.kind, getattr(one, "absence", "")) for one in events] == [
        ("absence.ended", "a-1"),
        ("absence.declared", "a-3"),
    ]
    for event in events:
        state = evolve(state, event)
    assert [one.absence for one in state.absences] == ["a-2", "a-3"]


def test_somebody_who_has_left_leaves_no_delegation_behind() -> None:
    state = _after(NOTHING_SAID, _away())
    assert state.delegators(CAROL, NOW) == (BOB,)
    assert _after(state, _leave(BOB)).delegators(CAROL, NOW) == ()


def test_only_who_is_away_comes_back_early() -> None:
    state = _after(_after(NOTHING_SAID, _away()), _away(person=ALICE, name="a-2"))
    assert _refused(state, EndAbsence(absence=AbsenceId("a-1"), person=ALICE, source="t")) is Code.ABSENCE_UNKNOWN
    assert _refused(state, EndAbsence(absence=AbsenceId("a-9"), person=BOB, source="t")) is Code.ABSENCE_UNKNOWN
    after = _after(state, EndAbsence(absence=AbsenceId("a-1"), person=BOB, source="t"))
    assert [one.absence for one in after.absences] == ["a-2"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (_away(person=NOBODY), Code.PERSON_UNKNOWN),
        (_away(delegate=NOBODY), Code.PERSON_UNKNOWN),
        (_away(delegate=BOB), Code.ABSENCE_INVALID),
        (_away(lasts=timedelta(0)), Code.ABSENCE_INVALID),
        (_away(lasts=-HOUR), Code.ABSENCE_INVALID),
        (_away(begins=-HOUR), Code.ABSENCE_INVALID),
        (_away(lasts=ABSENCE_MAX + TICK), Code.ABSENCE_INVALID),
        (_away(begins=ABSENCE_MAX + TICK), Code.ABSENCE_INVALID),
    ],
)
def test_an_absence_is_of_somebody_for_some_time_to_come(command: DeclareAbsence, code: Code) -> None:
    assert _refused(NOTHING_SAID, command) is code


@pytest.mark.parametrize("command", [_away(lasts=ABSENCE_MAX), _away(begins=ABSENCE_MAX), _away(delegate=None)])
def test_the_limits_themselves_may_be_declared(command: DeclareAbsence) -> None:
    assert _after(NOTHING_SAID, command).absences


def test_so_many_absences_of_one_person_and_no_more_and_those_that_are_over_do_not_count() -> None:
    state = NOTHING_SAID
    for number in range(ABSENCES_MAX):
        state = _after(state, _away(begins=number * HOUR, name=f"a-{number}"))
    assert _refused(state, _away(begins=ABSENCES_MAX * HOUR)) is Code.ABSENCE_INVALID
    assert _after(state, _away(person=ALICE)).absences
    later = decide(state, _away(begins=ABSENCES_MAX * HOUR), PEOPLE, NOW + HOUR)
    assert not isinstance(later, Refusal) and isinstance(later[-1], AbsenceDeclared)


def test_an_overdue_review_blocks_its_holder_and_the_members_of_the_teams_and_nobody_else() -> None:
    one, other = GrantId("g-1"), GrantId("g-2")
    told: tuple[Event, ...] = (
        TeamsBlocked(grant=one, person=ERIN, teams=(LEADS,)),
        TeamsBlocked(grant=other, person=ALICE, teams=(ENGINEERS,)),
    )
    state = NOTHING_SAID
    for event in told:
        state = evolve(state, event)
    assert state.blocking(ERIN, CATALOGUE.teams) == (one,)
    assert state.blocking(DAVE, CATALOGUE.teams) == (other,)
    assert state.blocking(BOB, CATALOGUE.teams) == (one, other)
    assert state.blocking(NOBODY, CATALOGUE.teams) == ()
    freed = evolve(state, TeamsUnblocked(grant=one))
    assert freed.blocking(BOB, CATALOGUE.teams) == (other,) and freed.blocking(ERIN, CATALOGUE.teams) == ()


def test_every_event_is_one_version() -> None:
    left = PersonLeft(person=BOB, recorded_by=ERIN, reason=REASON, source="t")
    assert evolve(evolve(NOTHING_SAID, left), left).version == 2
