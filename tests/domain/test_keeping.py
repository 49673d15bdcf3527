"""What is held is never destroyed, one person never fills two places, and no schedule goes below its floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain import hold as holds
from sojourn.domain import register as registers
from sojourn.domain import retention, shredding
from sojourn.domain.events import (
    Event,
    HoldPlaced,
    HoldReleased,
    HoldReleaseRequested,
    HoldScope,
    KeysDestroyed,
    RecordsDisposed,
    RetentionChanged,
    RetentionChangeRequested,
    ShreddingConfirmed,
    ShreddingRequested,
)
from sojourn.domain.hold import Coverage, PlaceHold, ReleaseHold
from sojourn.domain.identifiers import DisposalId, HoldId, PersonId, ShreddingId
from sojourn.domain.register import DISPOSABLE, FLOOR_DAYS, SHREDDABLE, KeyUse, Register
from sojourn.domain.retention import ConfirmRetention, Dispose, SetRetention, WithdrawRetention
from sojourn.domain.sealed import RecordClass, Sealed
from sojourn.domain.shredding import ConfirmShredding, RequestShredding, WithdrawShredding
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, DAVE, ERIN, FRANK

NOW = datetime(2034, 6, 1, tzinfo=UTC)
REASON = Sealed(commitment="ab" * 32, key="k-reason")
ADMINISTRATORS = (BOB, CAROL, ERIN)
PEOPLE = replace(
    CATALOGUE, people=tuple(replace(one, administrator=one.id in ADMINISTRATORS) for one in CATALOGUE.people)
)


def use(
    key: str = "k-1",
    person: PersonId = ALICE,
    record_class: RecordClass = RecordClass.STATEMENT,
    first: datetime | None = None,
    last: datetime | None = None,
    values: int = 3,
) -> KeyUse:
    first = NOW - timedelta(days=3000) if first is None else first
    return KeyUse(
        key=key, person=person, record_class=record_class, values=values, first_at=first, last_at=last or first
    )


def register(*events: Event) -> Register:
    state = Register()
    for event in events:
        state = registers.evolve(state, event)
    return state


def hold(name: str = "h-1", **coverage: Any) -> HoldPlaced:
    wanted = Coverage(**{"scope": HoldScope.PERSON, "name": ALICE, "people": (ALICE,), **coverage})
    command = PlaceHold(hold=HoldId(name), coverage=wanted, reason=REASON, person=ERIN, source="test")
    placed = holds.place(PEOPLE, command)
    assert isinstance(placed, HoldPlaced)
    return placed


def ask(person: PersonId = ERIN, **more: Any) -> RequestShredding:
    return RequestShredding(
        **{
            "shredding": ShreddingId("sh-1"),
            "subject": ALICE,
            "classes": (RecordClass.STATEMENT,),
            "reason": REASON,
            "person": person,
            "source": "test",
            **more,
        }
    )


def asked(**more: Any) -> ShreddingRequested:
    event = shredding.request(Register(), ask(**more), [use()], PEOPLE)
    assert isinstance(event, ShreddingRequested)
    return event


def confirm(state: Register, person: PersonId, uses: list[KeyUse]) -> object:
    command = ConfirmShredding(shredding=ShreddingId("sh-1"), person=person, source="test")
    return shredding.confirm(state, command, uses, PEOPLE)


def code(answer: object) -> Code:
    assert isinstance(answer, Refusal), answer
    return answer.code


def test_a_second_person_confirms_and_every_key_is_named_in_a_tombstone() -> None:
    uses = [use("k-1"), use("k-2", values=4), use("k-3", person=DAVE), use("k-4", record_class=RecordClass.REASON)]
    done = confirm(register(asked()), BOB, uses)
    assert done == (
        ShreddingConfirmed(
            shredding=ShreddingId("sh-1"), requested_by=ERIN, confirmed_by=BOB, keys=2, values=7, source="test"
        ),
        KeysDestroyed(cause="sh-1", person=ALICE, record_class=RecordClass.STATEMENT, keys=("k-1", "k-2"), values=7),
    )


def test_thousands_of_keys_are_named_in_entries_that_are_not_too_large() -> None:
    done = confirm(register(asked()), BOB, [use(f"k-{number:032x}") for number in range(2500)])
    assert isinstance(done, tuple)
    assert [len(one.keys) for one in done[1:]] == [1000, 1000, 500]
    assert sum(one.values for one in done[1:]) == done[0].values == 7500


def test_nobody_confirms_their_own_shredding() -> None:
    assert code(confirm(register(asked()), ERIN, [use()])) is Code.SHREDDING_SELF


def test_nobody_asks_for_or_confirms_a_shredding_about_themselves() -> None:
    assert code(shredding.request(Register(), ask(BOB, subject=BOB), [use(person=BOB)], PEOPLE)) is Code.SHREDDING_SELF
    state = register(replace(asked(), person=BOB))
    assert code(confirm(state, BOB, [use(person=BOB)])) is Code.SHREDDING_SELF
    assert isinstance(confirm(state, CAROL, [use(person=BOB)]), tuple)


@pytest.mark.parametrize("person", [ALICE, FRANK, PersonId("stranger")])
def test_only_administrators_decide_about_what_is_kept(person: PersonId) -> None:
    state, aged = register(asked(), hold(start=NOW)), [use()]
    commands: list[Callable[[], object]] = [
        lambda: shredding.request(state, ask(person, subject=DAVE), [use(person=DAVE)], PEOPLE),
        lambda: confirm(state, person, aged),
        lambda: shredding.withdraw(
            state, WithdrawShredding(shredding=ShreddingId("sh-1"), person=person, source=""), PEOPLE
        ),
        lambda: holds.place(
            PEOPLE,
            PlaceHold(
                hold=HoldId("h-2"),
                coverage=Coverage(scope=HoldScope.PERSON, name=DAVE, people=(DAVE,)),
                reason=REASON,
                person=person,
                source="",
            ),
        ),
        lambda: holds.release(state, ReleaseHold(hold=HoldId("h-1"), person=person, source=""), PEOPLE),
        lambda: retention.set_retention(
            state, SetRetention(record_class=RecordClass.REASON, days=9999, person=person, source=""), PEOPLE
        ),
        lambda: retention.confirm(
            state, ConfirmRetention(record_class=RecordClass.REASON, days=1, person=person, source=""), PEOPLE
        ),
        lambda: retention.withdraw(
            state, WithdrawRetention(record_class=RecordClass.REASON, person=person, source=""), PEOPLE
        ),
        lambda: retention.dispose(
            state, 1, Dispose(disposal=DisposalId("d-1"), person=person, source=""), aged, PEOPLE, NOW
        ),
    ]
    assert {code(command()) for command in commands} == {Code.PERMISSION_DENIED}


def test_a_shredding_is_done_once_and_a_withdrawn_one_never() -> None:
    withdrawn = shredding.withdraw(
        register(asked()), WithdrawShredding(shredding=ShreddingId("sh-1"), person=ERIN, source=""), PEOPLE
    )
    assert not isinstance(withdrawn, Refusal)
    done = confirm(register(asked()), BOB, [use()])
    assert isinstance(done, tuple)
    for state in (register(asked(), withdrawn), register(asked(), *done)):
        assert code(confirm(state, CAROL, [use()])) is Code.SHREDDING_NOT_PENDING
    assert code(confirm(Register(), CAROL, [use()])) is Code.SHREDDING_UNKNOWN


def test_what_is_not_sealed_or_not_there_cannot_be_shredded() -> None:
    assert code(shredding.request(Register(), ask(classes=()), [use()], PEOPLE)) is Code.INPUT_INVALID
    strange = ask(classes=(RecordClass.ACCESS_EVIDENCE,))
    assert code(shredding.request(Register(), strange, [use()], PEOPLE)) is Code.INPUT_INVALID
    assert code(shredding.request(Register(), ask(), [use(person=DAVE)], PEOPLE)) is Code.SHREDDING_NOTHING


@pytest.mark.parametrize(
    ("coverage", "held"),
    [
        ({}, True),
        ({"people": (DAVE, ALICE)}, True),
        ({"people": (DAVE,)}, False),
        ({"scope": HoldScope.PERIOD, "people": (), "start": NOW - timedelta(days=3000)}, True),
        ({"scope": HoldScope.PERIOD, "people": (), "start": NOW - timedelta(days=2989, hours=23)}, False),
        ({"scope": HoldScope.PERIOD, "people": (), "end": NOW - timedelta(days=3000)}, False),
        ({"scope": HoldScope.PERIOD, "people": (), "end": NOW - timedelta(days=2999)}, True),
    ],
)
def test_a_hold_covers_people_and_times_and_stops_what_it_covers(coverage: dict[str, Any], held: bool) -> None:
    uses = [use(last=NOW - timedelta(days=2990))]
    state = register(asked(), hold(**coverage))
    command = Dispose(disposal=DisposalId("d-1"), person=ERIN, source="")
    answers = (
        shredding.request(state, ask(shredding=ShreddingId("sh-2")), uses, PEOPLE),
        confirm(state, BOB, uses),
        retention.dispose(state, 2, command, uses, PEOPLE, NOW),
    )
    for answer in answers:
        if held:
            assert code(answer) is Code.HOLD_IN_FORCE
            assert isinstance(answer, Refusal) and answer.details == {"holds": "h-1"}
        else:
            assert not isinstance(answer, Refusal)


def test_a_key_that_nothing_on_record_names_is_held_in_doubt() -> None:
    bounded = hold(scope=HoldScope.PERIOD, people=(), start=NOW - timedelta(days=1), end=NOW)
    unknown = replace(use(), first_at=None, last_at=None)
    assert register(bounded).holding(unknown) == ("h-1",)


def release(state: Register, person: PersonId) -> HoldReleaseRequested | HoldReleased | Refusal:
    return holds.release(state, ReleaseHold(hold=HoldId("h-1"), person=person, source="test"), PEOPLE)


def test_a_hold_is_released_by_two_people_and_by_neither_alone() -> None:
    first = release(register(hold()), BOB)
    assert first == HoldReleaseRequested(hold=HoldId("h-1"), requested_by=BOB, source="test")
    state = register(hold(), first)
    assert state.holding(use()) == ("h-1",)
    assert code(release(state, BOB)) is Code.HOLD_SELF
    second = release(state, CAROL)
    assert second == HoldReleased(hold=HoldId("h-1"), requested_by=BOB, confirmed_by=CAROL, source="test")
    state = register(hold(), first, second)
    assert state.holding(use()) == ()
    assert code(release(state, ERIN)) is Code.HOLD_RELEASED
    assert code(release(Register(), ERIN)) is Code.HOLD_UNKNOWN


def test_a_hold_on_nothing_or_on_no_time_is_none() -> None:
    for coverage in (
        Coverage(scope=HoldScope.PERIOD, name=""),
        Coverage(scope=HoldScope.GRANT, name="g-1"),
        Coverage(scope=HoldScope.PERIOD, name="", start=NOW, end=NOW),
        Coverage(scope=HoldScope.PERIOD, name="", start=NOW.replace(tzinfo=None)),
    ):
        command = PlaceHold(hold=HoldId("h-1"), coverage=coverage, reason=REASON, person=ERIN, source="")
        assert code(holds.place(PEOPLE, command)) is Code.INPUT_INVALID


def days(count: int, person: PersonId = ERIN, record_class: RecordClass = RecordClass.STATEMENT) -> SetRetention:
    return SetRetention(record_class=record_class, days=count, person=person, source="test")


@pytest.mark.parametrize("record_class", list(RecordClass))
def test_no_retention_goes_below_its_floor(record_class: RecordClass) -> None:
    floor = FLOOR_DAYS[record_class]
    answer = retention.set_retention(Register(), days(floor - 1, record_class=record_class), PEOPLE)
    assert code(answer) is Code.RETENTION_BELOW_FLOOR
    assert not isinstance(retention.set_retention(Register(), days(floor, record_class=record_class), PEOPLE), Refusal)


def test_evidence_of_access_is_kept_for_seven_years_at_least() -> None:
    assert FLOOR_DAYS[RecordClass.ACCESS_EVIDENCE] >= 7 * 365 + 2


@pytest.mark.parametrize("count", [100, 4000], ids=["for less long", "for longer"])
def test_keeping_a_class_for_longer_or_less_long_takes_two_people(count: int) -> None:
    before = Register().schedule[RecordClass.STATEMENT]
    assert retention.set_retention(Register(), days(before), PEOPLE) == ()
    asked = retention.set_retention(Register(), days(count), PEOPLE)
    assert isinstance(asked, tuple) and isinstance(asked[0], RetentionChangeRequested)
    state = register(asked[0])
    assert state.schedule[RecordClass.STATEMENT] == before

    def agree(person: PersonId, count: int = count) -> object:
        command = ConfirmRetention(record_class=RecordClass.STATEMENT, days=count, person=person, source="test")
        return retention.confirm(state, command, PEOPLE)

    assert code(agree(ERIN)) is Code.RETENTION_SELF
    assert code(agree(ALICE)) is Code.PERMISSION_DENIED
    assert code(agree(BOB, count - 1)) is Code.RETENTION_NOT_PENDING
    done = agree(BOB)
    assert isinstance(done, RetentionChanged)
    assert (done.requested_by, done.confirmed_by, done.days_before) == (ERIN, BOB, before)
    state = register(asked[0], done)
    assert (state.schedule[RecordClass.STATEMENT], state.changes) == (count, {})
    assert code(agree(BOB)) is Code.RETENTION_NOT_PENDING


def test_a_second_request_takes_the_place_of_the_first_and_an_old_confirmation_does_not_fit_it() -> None:
    first, second = (retention.set_retention(Register(), days(count), PEOPLE) for count in (4000, 100))
    assert isinstance(first, tuple) and isinstance(second, tuple)
    command = ConfirmRetention(record_class=RecordClass.STATEMENT, days=4000, person=BOB, source="test")
    assert code(retention.confirm(register(*first, *second), command, PEOPLE)) is Code.RETENTION_NOT_PENDING


def test_another_retention_can_be_withdrawn() -> None:
    shorter = retention.set_retention(Register(), days(100), PEOPLE)
    assert isinstance(shorter, tuple)
    command = WithdrawRetention(record_class=RecordClass.STATEMENT, person=CAROL, source="")
    withdrawn = retention.withdraw(register(shorter[0]), command, PEOPLE)
    assert not isinstance(withdrawn, Refusal)
    assert register(shorter[0], withdrawn).changes == {}
    assert code(retention.withdraw(Register(), command, PEOPLE)) is Code.RETENTION_NOT_PENDING


def test_a_disposal_takes_what_is_old_enough_and_says_what_it_left() -> None:
    edge = NOW - timedelta(days=2557)
    uses = [
        use("k-old"),
        use("k-held", person=DAVE),
        use("k-edge", first=edge),
        use("k-still-used", last=NOW),
        use("k-password", record_class=RecordClass.CREDENTIAL),
        use("k-reason", record_class=RecordClass.REASON, person=BOB),
    ]
    state = register(hold(people=(DAVE,)))
    command = Dispose(disposal=DisposalId("d-1"), person=ERIN, source="test")
    done = retention.dispose(state, 1, command, uses, PEOPLE, NOW)
    assert isinstance(done, tuple)
    told, *gone = done
    assert isinstance(told, RecordsDisposed)
    assert [(one.record_class, one.keys, one.values, one.held_keys) for one in told.classes] == [
        (RecordClass.STATEMENT, 1, 3, 1),
        (RecordClass.REASON, 1, 3, 0),
    ]
    assert (told.holds, told.register_version, told.classes[0].sealed_before) == (("h-1",), 1, edge)
    assert sorted(key for one in gone if isinstance(one, KeysDestroyed) for key in one.keys) == ["k-old", "k-reason"]
    assert code(retention.dispose(state, 1, command, uses[2:5], PEOPLE, NOW)) is Code.RETENTION_NOTHING_DUE


moments = st.integers(0, 5000).map(lambda days: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=days))
key_uses = st.builds(
    lambda key, person, record_class, pair, values: KeyUse(
        key=f"k-{key}",
        person=person,
        record_class=record_class,
        values=values,
        first_at=min(pair),
        last_at=max(pair),
    ),
    st.integers(0, 10**6),
    st.sampled_from([ALICE, DAVE, BOB]),
    st.sampled_from(RecordClass),
    st.tuples(moments, moments),
    st.integers(0, 5),
)


@given(
    st.lists(key_uses, max_size=20, unique_by=lambda one: one.key),
    st.lists(st.tuples(st.sampled_from([(ALICE,), (DAVE,), ()]), st.tuples(moments, moments)), max_size=3),
)
def test_whatever_is_held_no_tombstone_ever_names_it(
    uses: list[KeyUse], covered: list[tuple[tuple[PersonId, ...], tuple[datetime, datetime]]]
) -> None:
    placed = [
        hold(
            f"h-{number}", scope=HoldScope.PERIOD, people=people, start=min(pair), end=max(pair) + timedelta(seconds=1)
        )
        for number, (people, pair) in enumerate(covered)
    ]
    state = register(*placed, asked(classes=SHREDDABLE))
    command = Dispose(disposal=DisposalId("d-1"), person=ERIN, source="")
    for answer in (confirm(state, BOB, uses), retention.dispose(state, 1, command, uses, PEOPLE, NOW)):
        gone = (
            {key for one in answer if isinstance(one, KeysDestroyed) for key in one.keys}
            if isinstance(answer, tuple)
            else set()
        )
        for one in uses:
            inside = any(
                (not people or one.person in people)
                and one.first_at is not None
                and one.last_at is not None
                and one.first_at <= max(pair)
                and one.last_at >= min(pair)
                for people, pair in covered
            )
            assert not (inside and one.key in gone)
            assert not (one.key in gone and one.record_class not in (*DISPOSABLE, RecordClass.CREDENTIAL))
