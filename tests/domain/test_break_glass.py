"""The rules of break-glass, as pure decisions."""

from __future__ import annotations

from datetime import timedelta

from sojourn.domain import break_glass as glass
from sojourn.domain.break_glass import FRESH, BreakTheGlass, Taken
from sojourn.domain.events import BreakGlassUsed
from sojourn.domain.identifiers import GrantId, RequestId, RuleName
from sojourn.domain.policy import BreakGlassRule, People, ReviewRule, Rule
from sojourn.domain.request import REASON_LENGTH_MAX
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, FRANK, READ, SHOP, adopted, with_rules

HOUR = timedelta(hours=1)
NOW = SimulatedClock().now()
RULE = Rule(
    name=RuleName("emergency"),
    who=People(people=(ALICE,)),
    targets=(SHOP,),
    roles=(READ,),
    longest=HOUR,
    break_glass=BreakGlassRule(uses=2, per=timedelta(days=1), tell=People(people=(ALICE, BOB))),
    review=ReviewRule(within=timedelta(days=2), by=People(people=(CAROL,))),
)
WORLD = adopted(with_rules(CATALOGUE, *CATALOGUE.rules, RULE))


def _take(
    uses: tuple[BreakGlassUsed, ...] = (),
    *,
    person: str = ALICE,
    duration: timedelta = HOUR,
    reason: str = "fire",
    age: timedelta = timedelta(0),
) -> Taken | Refusal:
    command = BreakTheGlass(
        request=RequestId("r-1"),
        grant=GrantId("g-1"),
        credential="sojourn_g1",
        person=type(ALICE)(person),
        target=SHOP,
        role=READ,
        duration=duration,
        reason=reason,
        sealed_reason=Sealed(commitment="0" * 64, key="k"),
        source="t",
        confirmed_at=NOW - age,
    )
    return glass.take(WORLD, command, uses, NOW)


def _code(answer: Taken | Refusal) -> Code:
    assert isinstance(answer, Refusal), answer
    assert answer.sentence and answer.next_step
    return answer.code


def _used(ago: timedelta) -> BreakGlassUsed:
    taken = _take()
    assert isinstance(taken, Taken)
    return BreakGlassUsed(
        person=ALICE,
        request=RequestId("r-0"),
        grant=GrantId("g-0"),
        told=(BOB,),
        taken_at=NOW - ago,
        confirmed_at=NOW - ago,
        uses=2,
        per=timedelta(days=1),
    )


def test_what_is_taken_says_who_is_told_never_the_taker_and_who_reviews_it() -> None:
    taken = _take()
    assert isinstance(taken, Taken)
    assert taken.used.told == (BOB,)
    assert taken.created.break_glass and taken.submitted.break_glass
    assert taken.created.review is not None and taken.created.review.people == (CAROL,)
    assert taken.created.window.end == NOW + HOUR


def test_whoever_showed_who_they_are_too_long_ago_or_in_the_future_takes_nothing() -> None:
    assert isinstance(_take(age=FRESH - timedelta(seconds=1)), Taken)
    assert _code(_take(age=FRESH)) is Code.SIGN_IN_STALE
    assert _code(_take(age=timedelta(seconds=-1))) is Code.SIGN_IN_STALE


def test_it_is_used_only_so_often_and_an_old_use_stops_counting() -> None:
    recent, old = _used(HOUR), _used(timedelta(days=1))
    assert isinstance(_take((recent,)), Taken)
    assert _code(_take((recent, recent))) is Code.BREAK_GLASS_SPENT
    assert isinstance(_take((old, recent)), Taken)


def test_whoever_has_spent_it_is_told_from_when_on_it_is_there_again() -> None:
    first, second, third = (_used(timedelta(hours=hours)) for hours in (5, 3, 1))
    refusal = _take((third, first, second))
    assert isinstance(refusal, Refusal)
    # Of three the second one has to be out of the day, so that one is left.
    free = NOW - timedelta(hours=3) + timedelta(days=1)
    assert (refusal.details["uses"], refusal.details["after"]) == ("2", free.isoformat(timespec="seconds"))


def test_a_reason_is_asked_for_whatever_the_rule_says() -> None:
    assert _code(_take(reason=" \n")) is Code.REQUEST_REASON_MISSING
    assert isinstance(_take(reason="x" * REASON_LENGTH_MAX), Taken)
    assert _code(_take(reason="x" * (REASON_LENGTH_MAX + 1))) is Code.REQUEST_REASON_TOO_LONG


def test_nobody_takes_it_without_a_rule_or_for_longer_than_the_rule_allows() -> None:
    assert isinstance(_take(person=FRANK), Refusal)
    assert isinstance(_take(duration=HOUR + timedelta(seconds=1)), Refusal)
