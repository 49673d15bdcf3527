"""The rules of a grant, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.events import EndCause, Event, GrantCreated, GrantEnded, GrantRemovalFailed
from sojourn.domain.grant import (
    Command,
    ConfirmProvisioned,
    ConfirmRemoved,
    EndEarly,
    EndForLeaver,
    Expire,
    GiveUpProvisioning,
    Grant,
    ReportRemovalFailed,
    Revoke,
    Status,
    TakeLease,
    decide,
    evolve,
)
from sojourn.domain.identifiers import GrantId, PersonId, RequestId
from sojourn.domain.policy import People
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import (
    ALICE,
    BOB,
    CAROL,
    CATALOGUE,
    DAVE,
    ERIN,
    FRANK,
    READ,
    SHOP,
    adopted,
    with_rules,
    without,
)

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
END = NOW + timedelta(minutes=30)
SECRET = Sealed(commitment="c" * 64, key="k")
GONE = ConfirmRemoved(role_present=False, sessions_present=0, sessions_terminated=2)
CONFIRM = ConfirmProvisioned(observed=("select on shop.orders",), secret=SECRET)
REVOKE = Revoke(person=BOB, source="t")
DONE = EndEarly(person=ALICE, source="t")

NEW = Grant(
    created=GrantCreated(
        grant=GrantId("g-1"),
        request=RequestId("r-1"),
        person=ALICE,
        target=SHOP,
        role=READ,
        window=Window(start=NOW, end=END),
        credential="sojourn_g1",
        configuration_version=1,
    )
)


def after(state: Grant, command: Command, now: datetime = NOW) -> Grant:
    decided = decide(state, command, adopted(), now)
    assert not isinstance(decided, Refusal), decided
    for event in decided:
        evolved = evolve(state, event)
        assert evolved is not None
        state = evolved
    return state


def code(outcome: tuple[Event, ...] | Refusal) -> Code:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.sentence and outcome.next_step
    return outcome.code


ACTIVE = after(NEW, CONFIRM)
ENDED = after(ACTIVE, REVOKE)
REMOVED = after(ENDED, GONE)


def test_a_grant_opens_nothing_before_its_privilege_was_read_back() -> None:
    assert evolve(None, NEW.created) == NEW
    assert not NEW.opens(NOW)
    assert ACTIVE.opens(NOW)
    assert ACTIVE.secret == SECRET


@pytest.mark.parametrize(
    ("moment", "opens"),
    [(NOW - TICK, False), (NOW, True), (END - TICK, True), (END, False), (END + TICK, False)],
)
def test_a_grant_opens_in_its_window_and_at_no_other_moment(moment: datetime, opens: bool) -> None:
    assert ACTIVE.opens(moment) is opens


def test_an_ended_grant_opens_nothing_though_its_window_goes_on() -> None:
    assert not ENDED.opens(NOW)
    assert not REMOVED.opens(NOW)


def test_a_grant_expires_at_its_end_and_not_before() -> None:
    assert decide(ACTIVE, Expire(), adopted(), END - TICK) == ()
    assert decide(ACTIVE, Expire(), adopted(), END) == (GrantEnded(grant=NEW.id, cause=EndCause.EXPIRED),)
    assert after(NEW, Expire(), END).cause is EndCause.EXPIRED


@pytest.mark.parametrize("over", [ENDED, REMOVED], ids=["ended", "removed"])
def test_a_grant_ends_once(over: Grant) -> None:
    for command in (REVOKE, DONE, GiveUpProvisioning(problem="late"), CONFIRM):
        assert code(decide(over, command, adopted(), NOW)) == Code.GRANT_ENDED
    for quiet in (Expire(), EndForLeaver()):
        assert decide(over, quiet, adopted(without(CATALOGUE, ALICE)), END) == ()


def test_nobody_is_credited_with_ending_what_time_has_ended() -> None:
    for command in (REVOKE, DONE):
        assert code(decide(ACTIVE, command, adopted(), END)) == Code.GRANT_EXPIRED
        assert not isinstance(decide(ACTIVE, command, adopted(), END - TICK), Refusal)


def test_a_grant_past_its_end_can_no_longer_become_active() -> None:
    assert code(decide(NEW, CONFIRM, adopted(), END)) == Code.GRANT_EXPIRED
    assert after(NEW, CONFIRM, END - TICK).status is Status.ACTIVE


def test_confirming_an_active_grant_again_changes_nothing() -> None:
    other = replace(CONFIRM, secret=Sealed(commitment="d" * 64, key="k"))
    assert decide(ACTIVE, other, adopted(), NOW) == ()


def test_what_the_target_took_is_not_given_up() -> None:
    assert decide(ACTIVE, GiveUpProvisioning(problem="a second worker"), adopted(), NOW) == ()
    given_up = after(NEW, GiveUpProvisioning(problem="no such table"))
    assert (given_up.status, given_up.cause) == (Status.ENDED, EndCause.PROVISIONING_FAILED)


@pytest.mark.parametrize("person", [ALICE, BOB, CAROL, ERIN])
def test_the_holder_an_approver_and_an_administrator_may_revoke(person: PersonId) -> None:
    for state in (NEW, ACTIVE):
        ended = after(state, Revoke(person=person, source="t"))
        assert (ended.status, ended.cause) == (Status.ENDED, EndCause.REVOKED)


@pytest.mark.parametrize("person", [DAVE, FRANK, PersonId("mallory")])
def test_nobody_else_may_revoke(person: PersonId) -> None:
    assert code(decide(ACTIVE, Revoke(person=person, source="t"), adopted(), NOW)) == Code.GRANT_REVOKE_NOT_ENTITLED


def test_who_may_revoke_is_checked_before_anything_is_told() -> None:
    assert code(decide(ENDED, Revoke(person=DAVE, source="t"), adopted(), NOW)) == Code.GRANT_REVOKE_NOT_ENTITLED


@pytest.mark.parametrize(
    "catalogue",
    [
        with_rules(CATALOGUE),
        with_rules(CATALOGUE, replace(CATALOGUE.rules[0], longest=timedelta(minutes=1))),
        with_rules(CATALOGUE, replace(CATALOGUE.rules[0], who=People())),
        replace(CATALOGUE, targets=()),
        without(CATALOGUE, ALICE),
    ],
    ids=["no rules", "shorter", "not eligible", "target gone", "holder left"],
)
def test_what_was_given_can_be_taken_back_whatever_became_of_the_policy(catalogue: object) -> None:
    decided = decide(ACTIVE, Revoke(person=ERIN, source="t"), adopted(catalogue), NOW)  # type: ignore[arg-type]
    assert not isinstance(decided, Refusal)
    assert isinstance(decided[0], GrantEnded)


def test_only_the_holder_ends_it_early() -> None:
    assert after(ACTIVE, DONE).cause is EndCause.ENDED_BY_HOLDER
    assert code(decide(ACTIVE, EndEarly(person=ERIN, source="t"), adopted(), NOW)) == Code.GRANT_NOT_YOURS


def test_a_grant_ends_when_its_holder_has_left_and_not_otherwise() -> None:
    assert decide(ACTIVE, EndForLeaver(), adopted(), NOW) == ()
    assert decide(ACTIVE, EndForLeaver(), adopted(without(CATALOGUE, ALICE)), NOW) == (
        GrantEnded(grant=NEW.id, cause=EndCause.HOLDER_LEFT),
    )


@pytest.mark.parametrize(("role", "sessions"), [(True, 0), (False, 1), (True, 3)])
def test_a_grant_is_not_finished_while_anything_is_left_in_the_target(role: bool, sessions: int) -> None:
    command = ConfirmRemoved(role_present=role, sessions_present=sessions, sessions_terminated=0)
    decided = decide(ENDED, command, adopted(), NOW)
    assert not isinstance(decided, Refusal)
    assert isinstance(decided[0], GrantRemovalFailed)
    assert after(ENDED, command).status is Status.ENDED


def test_removal_is_tried_for_ever_and_counted() -> None:
    state = ENDED
    for attempt in range(1, 50):
        state = after(state, ReportRemovalFailed(problem="down"))
        assert state.removal_attempts == attempt
    assert after(state, GONE).status is Status.REMOVED


@pytest.mark.parametrize("state", [NEW, ACTIVE], ids=["provisioning", "active"])
def test_what_has_not_ended_is_not_removed(state: Grant) -> None:
    for command in (GONE, ReportRemovalFailed(problem="x")):
        assert code(decide(state, command, adopted(), NOW)) == Code.GRANT_NOT_READY


def test_a_second_confirmation_of_removal_changes_nothing() -> None:
    assert decide(REMOVED, GONE, adopted(), NOW) == ()
    assert decide(REMOVED, ReportRemovalFailed(problem="late"), adopted(), NOW) == ()


def test_the_end_never_moves() -> None:
    state = NEW
    for command, now in ((CONFIRM, NOW), (REVOKE, NOW + TICK), (ReportRemovalFailed(problem="x"), END), (GONE, END)):
        state = after(state, command, now)
        assert state.created == NEW.created


# Leases


def lease(node: str, now: datetime = NOW, lasting: timedelta = timedelta(seconds=90)) -> TakeLease:
    return TakeLease(node=node, until=now + lasting)


def confirm(node: str) -> ConfirmProvisioned:
    return ConfirmProvisioned(observed=CONFIRM.observed, secret=SECRET, node=node)


def test_a_grant_is_leased_to_one_node_until_its_lease_lapses() -> None:
    mine = after(NEW, lease("a"))
    assert mine.lease is not None and not mine.taken("a", NOW) and mine.taken("b", NOW)
    assert decide(mine, lease("b"), adopted(), NOW) == ()
    lapsed = mine.lease.until
    assert mine.taken("b", lapsed - timedelta(microseconds=1)) and not mine.taken("b", lapsed)
    other = after(mine, lease("b", lapsed), lapsed)
    assert other.taken("a", lapsed)


def test_a_node_renews_its_lease_when_half_of_it_is_over_and_not_before() -> None:
    mine = after(NEW, lease("a"))
    for seconds, renewed in ((0, 0), (45, 0), (46, 1), (89, 1), (500, 1)):
        now = NOW + timedelta(seconds=seconds)
        events = decide(mine, lease("a", now), adopted(), now)
        assert not isinstance(events, Refusal) and len(events) == renewed, seconds


def test_whoever_lost_the_lease_meanwhile_does_not_make_it_active_nor_give_it_up() -> None:
    late = NOW + timedelta(seconds=90)
    other = after(after(NEW, lease("a")), lease("b", late), late)
    assert code(decide(other, confirm("a"), adopted(), late)) is Code.GRANT_LEASED
    assert decide(other, GiveUpProvisioning(problem="no", node="a"), adopted(), late) == ()
    made = after(other, confirm("b"), late)
    assert (made.status, made.provisioned_by, made.lease) == (Status.ACTIVE, "b", None)
    assert decide(made, GiveUpProvisioning(problem="no", node="a"), adopted(), late) == ()


def test_what_two_nodes_made_at_once_ends_though_it_is_active() -> None:
    made = after(after(NEW, lease("b")), confirm("b"))
    torn = GiveUpProvisioning(problem="two at once", torn=True)
    ended = after(made, torn)
    assert (ended.status, ended.cause) == (Status.ENDED, EndCause.PROVISIONING_FAILED)
    assert code(decide(ended, torn, adopted(), NOW)) is Code.GRANT_ENDED


def test_nobody_takes_a_lease_of_what_is_finished() -> None:
    assert decide(REMOVED, lease("a"), adopted(), NOW) == ()
