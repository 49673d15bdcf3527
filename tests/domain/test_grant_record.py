"""What the record of a grant says: who ended it, from where and why; how its end moved; what was tried."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import EndCause, Event, GrantCreated, GrantEnded, GrantRemovalFailed, GrantRemoved
from sojourn.domain.grant import (
    Command,
    ConfirmProlonged,
    ConfirmProvisioned,
    ConfirmRemoved,
    EndEarly,
    Expire,
    Extend,
    GiveUpProvisioning,
    Grant,
    ReportOverdue,
    ReportProlongingFailed,
    ReportRemovalFailed,
    Revoke,
    decide,
    evolve,
    gone,
)
from sojourn.domain.identifiers import GrantId, PersonId, RequestId
from sojourn.domain.people import Person, PersonKind
from sojourn.domain.policy import People
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window
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
    adopted,
    with_rules,
    without,
)

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
WORLD = adopted()
READING, AMENDING = CATALOGUE.rules
MADE = Grant(
    created=GrantCreated(
        grant=GrantId("g-1"),
        request=RequestId("r-1"),
        person=ALICE,
        target=SHOP,
        role=READ,
        window=Window.starting(NOW, HOUR),
        credential="sojourn_g1",
        configuration_version=1,
    )
)
SECRET = Sealed(commitment="0" * 64, key="k")


def _events(state: Grant, command: Command, world: Adopted = WORLD, now: datetime = NOW) -> tuple[Event, ...]:
    events = decide(state, command, world, now)
    assert not isinstance(events, Refusal), events
    return events


def _after(state: Grant, *commands: Command, now: datetime = NOW) -> Grant:
    for command in commands:
        for event in _events(state, command, now=now):
            state = evolve(state, event) or state
    return state


def _refused(state: Grant, command: Command, world: Adopted = WORLD, now: datetime = NOW) -> Code:
    refusal = decide(state, command, world, now)
    assert isinstance(refusal, Refusal), refusal
    return refusal.code


ACTIVE = _after(MADE, ConfirmProvisioned(observed=("x",), secret=SECRET))
ENDED = _after(ACTIVE, Revoke(person=ERIN, source="t"))
LATER = Extend(request=RequestId("r-2"), since=ACTIVE.end, until=ACTIVE.end + HOUR, configuration_version=1)


@pytest.mark.parametrize(
    ("command", "now", "said"),
    [
        (Revoke(person=ERIN, source="web"), NOW, (EndCause.REVOKED, ERIN, "web", "")),
        (EndEarly(person=ALICE, source="cli"), NOW, (EndCause.ENDED_BY_HOLDER, ALICE, "cli", "")),
        (Expire(), NOW + HOUR, (EndCause.EXPIRED, "", "", "")),
    ],
)
def test_the_end_is_on_record_with_who_from_where_and_why(
    command: Command, now: datetime, said: tuple[EndCause, str, str, str]
) -> None:
    (ended,) = _events(ACTIVE, command, now=now)
    assert isinstance(ended, GrantEnded)
    assert (ended.cause, ended.ended_by, ended.source, ended.problem) == said


def test_what_the_target_said_is_on_record_when_it_would_not_take_it() -> None:
    (ended,) = _events(MADE, GiveUpProvisioning(problem="no room"))
    assert isinstance(ended, GrantEnded)
    assert (ended.cause, ended.problem) == (EndCause.PROVISIONING_FAILED, "no room")


def test_what_is_over_is_told_as_ended_and_not_as_expired() -> None:
    late = NOW + 2 * HOUR
    assert _refused(ENDED, Revoke(person=ERIN, source="t"), now=late) is Code.GRANT_ENDED
    assert _refused(ACTIVE, Revoke(person=ERIN, source="t"), now=NOW + HOUR) is Code.GRANT_EXPIRED


def test_an_approver_of_this_access_revokes_it_and_one_of_another_does_not() -> None:
    by_attribute = replace(
        CATALOGUE,
        people=tuple(
            replace(one, attributes=(("duty", "on-watch"),)) if one.id == DAVE else one for one in CATALOGUE.people
        ),
        rules=(
            replace(READING, approvers=People(attributes=(("duty", ("on-watch",)),))),
            replace(AMENDING, approvers=People(people=(CAROL,))),
        ),
    )
    world = adopted(by_attribute)
    assert _events(ACTIVE, Revoke(person=DAVE, source="t"), world)
    assert _refused(ACTIVE, Revoke(person=CAROL, source="t"), world) is Code.GRANT_REVOKE_NOT_ENTITLED
    amending = replace(ACTIVE, created=replace(ACTIVE.created, role=AMEND))
    assert _events(amending, Revoke(person=CAROL, source="t"), world)


def test_an_extension_moves_the_end_forward_from_where_its_approvers_saw_it() -> None:
    longer = _after(ACTIVE, LATER)
    assert longer.end == NOW + 2 * HOUR and longer.extended_by == ("r-2",) and longer.window.start == NOW
    assert longer.opens(NOW + 2 * HOUR - TICK) and not longer.opens(NOW + 2 * HOUR)
    again = replace(LATER, request=RequestId("r-3"), since=longer.end, until=longer.end + HOUR)
    assert _after(longer, again).extended_by == ("r-2", "r-3")
    assert _refused(longer, LATER) is Code.GRANT_END_MOVED
    for until in (ACTIVE.end, ACTIVE.end - TICK):
        assert _refused(ACTIVE, replace(LATER, until=until)) is Code.GRANT_END_MOVED
    assert _refused(ACTIVE, LATER, now=ACTIVE.end) is Code.GRANT_EXPIRED
    assert _refused(ENDED, LATER) is Code.GRANT_ENDED


def test_the_target_is_told_of_a_later_end_until_it_has_taken_just_that_one() -> None:
    longer = _after(ACTIVE, LATER)
    assert longer.to_prolong and not ACTIVE.to_prolong
    assert _events(ACTIVE, ConfirmProlonged(until=ACTIVE.end, observed=())) == ()
    assert _events(longer, ConfirmProlonged(until=ACTIVE.end, observed=())) == ()
    failed = _after(longer, ReportProlongingFailed(until=longer.end, problem="away"))
    assert failed.to_prolong
    taken = _after(failed, ConfirmProlonged(until=longer.end, observed=("until later",)))
    assert not taken.to_prolong and taken.prolonged_to == longer.end


def test_every_try_to_take_it_back_is_counted_and_what_is_left_is_on_record() -> None:
    one = ConfirmRemoved(role_present=True, sessions_present=2, sessions_terminated=0)
    (failed,) = _events(ENDED, one)
    assert isinstance(failed, GrantRemovalFailed) and failed.attempt == 1
    twice = _after(ENDED, one, ReportRemovalFailed(problem="away"))
    assert twice.removal_attempts == 2
    alarmed = _after(twice, ReportOverdue(since=NOW, problem="away"))
    assert alarmed.overdue and not twice.overdue
    assert _events(alarmed, ReportOverdue(since=NOW, problem="away")) == ()
    (removed,) = _events(alarmed, ConfirmRemoved(role_present=False, sessions_present=0, sessions_terminated=3))
    assert isinstance(removed, GrantRemoved)
    said = (removed.role_present, removed.sessions_present, removed.sessions_terminated, removed.read_back_at)
    assert said == (False, 0, 3, NOW)


def test_a_holder_is_gone_when_they_or_who_answers_for_them_left_or_no_rule_gives_it_any_more() -> None:
    assert gone(ACTIVE, WORLD) is None
    assert gone(ACTIVE, adopted(without(CATALOGUE, ALICE))) is EndCause.HOLDER_LEFT
    assert gone(ACTIVE, adopted(with_rules(CATALOGUE, replace(READING, who=People(people=(DAVE,)))))) is (
        EndCause.HOLDER_MOVED
    )
    assert gone(ACTIVE, adopted(replace(CATALOGUE, targets=()))) is None, "the holder has not changed"
    no_role = replace(CATALOGUE.targets[0], roles=CATALOGUE.targets[0].roles[1:])
    assert gone(ACTIVE, adopted(replace(CATALOGUE, targets=(no_role,)))) is None


def test_all_accounts_that_one_human_being_answers_for_are_that_human_being() -> None:
    programs = tuple(
        Person(id=PersonId(f"alice-{number}"), name="x", kind=PersonKind.SERVICE, owner=ALICE) for number in range(3)
    )
    policy = adopted(replace(CATALOGUE, people=(*CATALOGUE.people, *programs))).policy
    everybody = {ALICE, *(one.id for one in programs)}
    assert all(policy.accounts[one] == everybody for one in everybody)
    assert BOB not in policy.accounts
