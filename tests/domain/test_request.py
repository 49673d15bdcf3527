"""The rules of a request, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.events import Event, GrantCreated, RequestApproved, RequestExpired, RequestSubmitted
from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName, TargetName
from sojourn.domain.policy import People
from sojourn.domain.request import (
    Activate,
    Approval,
    Approve,
    Command,
    Deny,
    LapseRequest,
    Request,
    Status,
    Submit,
    Withdraw,
    WithdrawApproval,
    content_digest,
    decide,
    evolve,
    submit,
)
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import (
    ALICE,
    AMEND,
    BOB,
    CAROL,
    CATALOGUE,
    DAVE,
    ERIN,
    READ,
    SHOP,
    with_rules,
    without,
)

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
REASON = Sealed(commitment="c" * 64, key="k")
IN_FORCE = Adopted(catalogue=CATALOGUE, version=1, digest="d" * 64)
READING, AMENDING = CATALOGUE.rules


def ask(**changes: object) -> Submit:
    plain = Submit(
        request=RequestId("r-1"),
        person=ALICE,
        target=SHOP,
        role=READ,
        duration=timedelta(minutes=30),
        reason="INC-1",
        sealed_reason=REASON,
        source="test",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def asked(adopted: Adopted = IN_FORCE, **changes: object) -> Request:
    event = submit(adopted, ask(**changes), NOW)
    assert isinstance(event, RequestSubmitted), event
    state = evolve(None, event)
    assert state is not None
    return state


def yes(state: Request, person: PersonId = BOB) -> Approve:
    return Approve(person=person, digest=state.submitted.digest, source="test")


def no(state: Request, person: PersonId = BOB) -> Deny:
    return Deny(person=person, digest=state.submitted.digest, source="test")


def spend(person: PersonId = ALICE) -> Activate:
    return Activate(person=person, grant=GrantId("g-1"), credential="sojourn_g1", source="test")


def after(state: Request, command: Command, adopted: Adopted = IN_FORCE, now: datetime = NOW) -> Request:
    decided = decide(state, command, adopted, now)
    assert not isinstance(decided, Refusal), decided
    for event in decided:
        evolved = evolve(state, event)
        assert evolved is not None
        state = evolved
    return state


def code(outcome: tuple[Event, ...] | RequestSubmitted | Refusal) -> Code:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.sentence and outcome.next_step
    return outcome.code


def changed(catalogue: Catalogue) -> Adopted:
    return Adopted(catalogue=catalogue, version=2, digest="e" * 64)


# Asking


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"person": PersonId("mallory")}, Code.PERSON_UNKNOWN),
        ({"target": TargetName("billing")}, Code.TARGET_UNKNOWN),
        ({"role": RoleName("owner")}, Code.ROLE_UNKNOWN),
        ({"person": ERIN}, Code.POLICY_NO_RULE),
        ({"duration": timedelta(0)}, Code.REQUEST_DURATION_INVALID),
        ({"duration": timedelta(seconds=-60)}, Code.REQUEST_DURATION_INVALID),
        ({"duration": timedelta(seconds=60, microseconds=1)}, Code.REQUEST_DURATION_INVALID),
        ({"duration": timedelta(hours=1, seconds=1)}, Code.REQUEST_DURATION_TOO_LONG),
        ({"reason": ""}, Code.REQUEST_REASON_MISSING),
        ({"reason": " \n\t\u2003"}, Code.REQUEST_REASON_MISSING),
        ({"reason": "x" * 2001}, Code.REQUEST_REASON_TOO_LONG),
    ],
)
def test_what_may_not_be_asked_is_refused_with_its_own_code(changes: dict[str, object], expected: Code) -> None:
    assert code(submit(IN_FORCE, ask(**changes), NOW)) == expected


@pytest.mark.parametrize(
    "changes", [{"duration": timedelta(hours=1)}, {"duration": timedelta(seconds=1)}, {"reason": "x" * 2000}]
)
def test_the_limits_themselves_may_be_asked(changes: dict[str, object]) -> None:
    assert isinstance(submit(IN_FORCE, ask(**changes), NOW), RequestSubmitted)


def test_a_request_freezes_the_terms_it_will_be_decided_under() -> None:
    state = asked()
    assert state.submitted.rules == ("reading",)
    assert state.submitted.approvers == (BOB, CAROL)
    assert state.submitted.approvals == 1
    assert state.due == state.submitted.decide_by == NOW + timedelta(hours=24)
    assert (state.submitted.configuration_version, state.submitted.configuration_digest) == (1, "d" * 64)


def test_a_request_that_nobody_could_decide_is_refused_when_it_is_asked() -> None:
    only_me = changed(with_rules(CATALOGUE, replace(READING, approvers=People(people=(ALICE,)))))
    nobody = changed(with_rules(CATALOGUE, replace(READING, approvers=People())))
    too_few = changed(with_rules(CATALOGUE, replace(READING, approvals=3)))
    for adopted in (only_me, nobody, too_few):
        assert code(submit(adopted, ask(), NOW)) == Code.POLICY_NO_APPROVER


@given(
    st.tuples(st.text(), st.text(), st.text(), st.text()),
    st.tuples(st.text(), st.text(), st.text(), st.text()),
    st.integers(1, 10**12),
    st.integers(1, 10**12),
)
def test_no_two_contents_share_a_digest(
    one: tuple[str, str, str, str], two: tuple[str, str, str, str], length: int, other: int
) -> None:
    def digest(parts: tuple[str, str, str, str], microseconds: int) -> str:
        return content_digest(
            request=RequestId(parts[0]),
            person=PersonId(parts[1]),
            target=TargetName(parts[2]),
            role=RoleName(parts[3]),
            duration=timedelta(microseconds=microseconds),
            reason=REASON,
        )

    assert (digest(one, length) == digest(two, other)) == ((one, length) == (two, other))


def test_moving_a_letter_from_one_field_to_the_next_changes_the_digest() -> None:
    def digest(target: str, role: str) -> str:
        return content_digest(
            request=RequestId("r"),
            person=ALICE,
            target=TargetName(target),
            role=RoleName(role),
            duration=timedelta(1),
            reason=REASON,
        )

    assert digest("shop", "read") != digest("shopr", "ead")


# Deciding


def test_nobody_decides_on_their_own_request() -> None:
    state = asked(person=BOB)
    assert code(decide(state, yes(state, BOB), IN_FORCE, NOW)) == Code.APPROVAL_SELF
    assert code(decide(state, no(state, BOB), IN_FORCE, NOW)) == Code.APPROVAL_SELF


def test_the_requester_cannot_decide_even_when_everybody_may_approve() -> None:
    everybody = changed(with_rules(CATALOGUE, replace(READING, approvers=READING.who)))
    state = asked(everybody)
    assert code(decide(state, yes(state, ALICE), everybody, NOW)) == Code.APPROVAL_SELF
    assert after(state, yes(state, DAVE), everybody).status is Status.APPROVED


@pytest.mark.parametrize("person", [DAVE, ERIN, PersonId("mallory"), PersonId("Bob"), PersonId("bob ")])
def test_a_decision_counts_only_from_somebody_whom_the_terms_name(person: PersonId) -> None:
    state = asked()
    assert code(decide(state, yes(state, person), IN_FORCE, NOW)) == Code.APPROVAL_NOT_ENTITLED
    assert code(decide(state, no(state, person), IN_FORCE, NOW)) == Code.APPROVAL_NOT_ENTITLED


def test_somebody_made_approver_after_the_request_cannot_decide_on_it() -> None:
    state = asked()
    widened = changed(with_rules(CATALOGUE, replace(READING, approvers=People(people=(BOB, CAROL, ERIN)))))
    assert code(decide(state, yes(state, ERIN), widened, NOW)) == Code.APPROVAL_NOT_ENTITLED


def test_somebody_who_is_no_longer_approver_cannot_decide() -> None:
    state = asked()
    narrowed = changed(with_rules(CATALOGUE, replace(READING, approvers=People(people=(CAROL,)))))
    assert code(decide(state, yes(state, BOB), narrowed, NOW)) == Code.APPROVAL_NOT_ENTITLED
    assert code(decide(state, no(state, BOB), narrowed, NOW)) == Code.APPROVAL_NOT_ENTITLED


def test_nobody_approves_what_no_rule_allows_any_more() -> None:
    state = asked()
    assert code(decide(state, yes(state), changed(with_rules(CATALOGUE)), NOW)) == Code.APPROVAL_NOT_ENTITLED


def test_a_decision_does_not_count_for_anything_but_what_was_shown() -> None:
    state = asked()
    other = asked(duration=timedelta(minutes=31))
    for command in (yes(other), no(other)):
        assert code(decide(state, command, IN_FORCE, NOW)) == Code.REQUEST_CHANGED


def test_one_person_never_fills_two_places() -> None:
    state = asked(role=AMEND)
    once = after(state, yes(state, BOB))
    assert once.status is Status.PENDING
    refusal = decide(once, yes(once, BOB), IN_FORCE, NOW)
    assert code(refusal) == Code.APPROVAL_REPEATED
    assert isinstance(refusal, Refusal) and refusal.details["missing"] == "1"
    assert after(once, yes(once, CAROL)).status is Status.APPROVED


def test_the_first_denial_ends_the_request_even_after_an_approval() -> None:
    state = after(asked(role=AMEND), yes(asked(role=AMEND), BOB))
    denied = after(state, no(state, CAROL))
    assert (denied.status, denied.decided_by, denied.due) == (Status.DENIED, CAROL, None)


def test_an_approver_may_still_deny_what_they_have_approved_while_it_is_pending() -> None:
    state = after(asked(role=AMEND), yes(asked(role=AMEND), BOB))
    assert after(state, no(state, BOB)).status is Status.DENIED


def test_an_approval_by_somebody_who_has_lost_the_right_does_not_complete_a_request() -> None:
    everybody = changed(with_rules(CATALOGUE, replace(AMENDING, approvers=People(people=(BOB, CAROL, ERIN)))))
    state = asked(everybody, role=AMEND)
    state = after(state, yes(state, BOB), everybody)
    gone = changed(without(everybody.catalogue, BOB))
    gone = changed(with_rules(gone.catalogue, replace(AMENDING, approvers=People(people=(CAROL, ERIN)))))
    state = after(state, yes(state, CAROL), gone)
    assert state.status is Status.PENDING
    assert after(state, yes(state, ERIN), gone).status is Status.APPROVED


def test_a_policy_that_asks_for_more_approvals_meanwhile_is_obeyed() -> None:
    state = asked()
    stricter = changed(with_rules(CATALOGUE, replace(READING, approvals=2)))
    once = after(state, yes(state, BOB), stricter)
    assert once.status is Status.PENDING
    assert after(once, yes(once, CAROL), stricter).status is Status.APPROVED


def test_a_policy_that_asks_for_fewer_approvals_meanwhile_changes_nothing() -> None:
    state = asked(role=AMEND)
    looser = changed(with_rules(CATALOGUE, replace(AMENDING, approvals=1)))
    assert after(state, yes(state, BOB), looser).status is Status.PENDING


CLOSED = {
    Status.APPROVED: lambda state: after(state, yes(state)),
    Status.DENIED: lambda state: after(state, no(state)),
    Status.WITHDRAWN: lambda state: after(state, Withdraw(person=ALICE, source="t")),
    Status.EXPIRED: lambda state: after(state, LapseRequest(), now=NOW + timedelta(days=2)),
    Status.ACTIVATED: lambda state: after(after(state, yes(state)), spend()),
}


@pytest.mark.parametrize("status", CLOSED)
def test_what_was_decided_is_not_decided_again(status: Status) -> None:
    state = CLOSED[status](asked())
    assert state.status is status
    for command in (yes(state, CAROL), no(state, CAROL)):
        refusal = decide(state, command, IN_FORCE, NOW)
        assert code(refusal) == Code.REQUEST_NOT_PENDING
        assert isinstance(refusal, Refusal) and refusal.details["status"] == status


def test_a_decision_after_the_deadline_is_refused_at_the_click_and_not_by_a_sweeper() -> None:
    state = asked()
    assert state.due is not None
    for command in (yes(state), no(state), Withdraw(person=ALICE, source="t")):
        assert code(decide(state, command, IN_FORCE, state.due)) == Code.REQUEST_EXPIRED
        assert not isinstance(decide(state, command, IN_FORCE, state.due - TICK), Refusal)


# Withdrawing and lapsing


def test_only_the_requester_withdraws_and_only_until_it_is_activated() -> None:
    state = asked()
    withdraw = Withdraw(person=ALICE, source="t")
    assert code(decide(state, Withdraw(person=BOB, source="t"), IN_FORCE, NOW)) == Code.REQUEST_NOT_YOURS
    assert after(state, withdraw).status is Status.WITHDRAWN
    assert after(after(state, yes(state)), withdraw).status is Status.WITHDRAWN
    for status in (Status.DENIED, Status.WITHDRAWN, Status.EXPIRED, Status.ACTIVATED):
        assert code(decide(CLOSED[status](state), withdraw, IN_FORCE, NOW)) == Code.REQUEST_NOT_PENDING


def test_an_approval_that_has_run_out_can_no_longer_be_withdrawn() -> None:
    state = after(asked(), yes(asked()))
    assert state.due is not None
    assert code(decide(state, Withdraw(person=ALICE, source="t"), IN_FORCE, state.due)) == Code.REQUEST_EXPIRED


def test_a_request_lapses_at_its_due_time_and_only_once() -> None:
    for state in (asked(), after(asked(), yes(asked()))):
        assert state.due is not None
        assert decide(state, LapseRequest(), IN_FORCE, state.due - TICK) == ()
        assert decide(state, LapseRequest(), IN_FORCE, state.due) == (RequestExpired(request=state.id, due=state.due),)
        lapsed = after(state, LapseRequest(), now=state.due)
        assert lapsed.status is Status.EXPIRED
        assert decide(lapsed, LapseRequest(), IN_FORCE, state.due + timedelta(days=400)) == ()


def test_what_is_closed_never_lapses() -> None:
    for status in (Status.DENIED, Status.WITHDRAWN, Status.ACTIVATED):
        assert decide(CLOSED[status](asked()), LapseRequest(), IN_FORCE, NOW + timedelta(days=999)) == ()


# Spending the approval


def test_an_approval_is_spent_once() -> None:
    state = after(asked(), yes(asked()))
    spent = after(state, spend())
    assert (spent.status, spent.grant) == (Status.ACTIVATED, "g-1")
    assert code(decide(spent, spend(), IN_FORCE, NOW)) == Code.REQUEST_ALREADY_ACTIVATED


def test_only_the_requester_spends_the_approval() -> None:
    state = after(asked(), yes(asked()))
    for person in (BOB, ERIN, DAVE):
        assert code(decide(state, spend(person), IN_FORCE, NOW)) == Code.REQUEST_NOT_YOURS


@pytest.mark.parametrize("status", [Status.DENIED, Status.WITHDRAWN, Status.EXPIRED])
def test_nothing_but_an_approval_can_be_spent(status: Status) -> None:
    assert code(decide(CLOSED[status](asked()), spend(), IN_FORCE, NOW)) == Code.REQUEST_NOT_APPROVED


def test_a_pending_request_cannot_be_spent_not_even_with_one_approval_of_two() -> None:
    state = asked(role=AMEND)
    assert code(decide(state, spend(), IN_FORCE, NOW)) == Code.REQUEST_NOT_APPROVED
    assert code(decide(after(state, yes(state)), spend(), IN_FORCE, NOW)) == Code.REQUEST_NOT_APPROVED


def test_an_approval_runs_out() -> None:
    later = NOW + timedelta(hours=3)
    state = after(asked(), yes(asked()), now=later)
    assert state.due == later + timedelta(hours=8)
    assert code(decide(state, spend(), IN_FORCE, later + timedelta(hours=8))) == Code.REQUEST_EXPIRED
    assert not isinstance(decide(state, spend(), IN_FORCE, later + timedelta(hours=8) - TICK), Refusal)


@pytest.mark.parametrize(
    ("catalogue", "expected"),
    [
        (with_rules(CATALOGUE), Code.POLICY_NO_RULE),
        (with_rules(CATALOGUE, replace(READING, who=People(people=(DAVE,)))), Code.POLICY_NO_RULE),
        (with_rules(CATALOGUE, replace(READING, longest=timedelta(minutes=29))), Code.REQUEST_DURATION_TOO_LONG),
        (with_rules(CATALOGUE, replace(READING, approvals=2)), Code.REQUEST_NOT_APPROVED),
        (with_rules(CATALOGUE, replace(READING, approvers=People(people=(CAROL,)))), Code.REQUEST_NOT_APPROVED),
        (without(CATALOGUE, ALICE), Code.PERSON_UNKNOWN),
        (without(CATALOGUE, BOB), Code.REQUEST_NOT_APPROVED),
        (replace(CATALOGUE, targets=()), Code.TARGET_UNKNOWN),
        (replace(CATALOGUE, targets=(replace(CATALOGUE.targets[0], roles=()),)), Code.ROLE_UNKNOWN),
    ],
    ids=[
        "rule removed",
        "requester no longer named",
        "shorter allowed",
        "more approvals needed",
        "approver no longer named",
        "requester left",
        "approver left",
        "target removed",
        "role removed",
    ],
)
def test_an_approval_is_worth_nothing_once_the_policy_no_longer_backs_it(catalogue: Catalogue, expected: Code) -> None:
    state = after(asked(), yes(asked(), BOB))
    assert code(decide(state, spend(), changed(catalogue), NOW)) == expected


@pytest.mark.parametrize(
    "start",
    [datetime(2026, 10, 24, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 0, 30, tzinfo=UTC)],
    ids=["half past one in Berlin, autumn", "half past one in Berlin, spring"],
)
def test_two_hours_are_7200_seconds_on_the_nights_when_the_clocks_change(start: datetime) -> None:
    two_hours = changed(with_rules(CATALOGUE, replace(READING, longest=timedelta(hours=2))))
    event = submit(two_hours, ask(duration=timedelta(hours=2)), start)
    assert isinstance(event, RequestSubmitted)
    state = evolve(None, event)
    assert state is not None
    state = after(state, yes(state), two_hours, start)
    decided = decide(state, spend(), two_hours, start)
    assert not isinstance(decided, Refusal)
    created = decided[1]
    assert isinstance(created, GrantCreated)
    assert created.window.end.timestamp() - created.window.start.timestamp() == 7200


def test_deciding_twice_on_the_same_inputs_gives_the_same_answer() -> None:
    state = asked()
    assert decide(state, yes(state), IN_FORCE, NOW) == decide(state, yes(state), IN_FORCE, NOW)
    assert isinstance(decide(state, yes(state), IN_FORCE, NOW)[0], RequestApproved)  # type: ignore[index]


def test_a_story_that_does_not_begin_with_a_request_is_no_request() -> None:
    assert evolve(None, RequestExpired(request=RequestId("r-1"), due=NOW)) is None


# Taking a yes back


def take_back(person: PersonId = BOB) -> WithdrawApproval:
    return WithdrawApproval(person=person, source="test")


def test_who_said_yes_takes_it_back_and_the_request_waits_again() -> None:
    state = after(asked(), yes(asked()))
    assert state.status is Status.APPROVED
    again = after(state, take_back())
    assert (again.status, again.approvals, again.due) == (Status.PENDING, (), state.submitted.decide_by)
    assert code(decide(again, spend(), IN_FORCE, NOW)) is Code.REQUEST_NOT_APPROVED
    assert after(again, yes(again)).status is Status.APPROVED


def test_only_ones_own_yes_is_taken_back_and_the_others_stay() -> None:
    pending = asked(role=AMEND)
    both = after(after(pending, yes(pending)), yes(pending, CAROL))
    assert both.status is Status.APPROVED
    left = after(both, take_back(CAROL))
    assert (left.status, left.approved_by) == (Status.PENDING, (BOB,))
    assert code(decide(left, take_back(CAROL), IN_FORCE, NOW)) is Code.APPROVAL_NOT_GIVEN
    assert code(decide(left, take_back(ALICE), IN_FORCE, NOW)) is Code.APPROVAL_NOT_GIVEN


def test_a_yes_that_was_spent_or_is_over_is_not_taken_back() -> None:
    state = after(asked(), yes(asked()))
    assert code(decide(after(state, spend()), take_back(), IN_FORCE, NOW)) is Code.REQUEST_NOT_PENDING
    assert state.due is not None
    assert code(decide(state, take_back(), IN_FORCE, state.due)) is Code.REQUEST_EXPIRED


def test_a_request_whose_yes_is_taken_back_after_its_time_lapses() -> None:
    state = after(asked(), yes(asked()), now=asked().submitted.decide_by - TICK)
    late = state.submitted.decide_by + timedelta(minutes=5)
    again = after(state, take_back(), now=late)
    assert code(decide(again, yes(again), IN_FORCE, late)) is Code.REQUEST_EXPIRED
    assert after(again, LapseRequest(), now=late).status is Status.EXPIRED


def test_a_yes_in_the_place_of_somebody_is_taken_back_by_who_said_it() -> None:
    state = after(asked(), yes(asked()))
    given = replace(state, approvals=(Approval(place=CAROL, person=BOB),))
    assert after(given, take_back(BOB)).approvals == ()
    assert code(decide(given, take_back(CAROL), IN_FORCE, NOW)) is Code.APPROVAL_NOT_GIVEN


def test_who_lost_the_authority_may_still_take_their_yes_back() -> None:
    state = after(asked(), yes(asked()))
    assert after(state, take_back(), adopted=changed(without(CATALOGUE, BOB))).status is Status.PENDING
