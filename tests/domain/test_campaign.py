"""The rules of certification campaigns, as pure decisions, and the proof that what was removed is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sojourn.domain import campaign as campaigns
from sojourn.domain.campaign import DURATION_MAX, Campaign, CloseWhenDue, DecideItem, Open
from sojourn.domain.events import CampaignClosed, CampaignDecided, EligibilityRemoved
from sojourn.domain.identifiers import CampaignId, PersonId
from sojourn.errors import Code, Refusal
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.organisation import ALICE, BOB, CAROL, ERIN, READ, SHOP, Workplace, adopted
from sojourn.workflow.certifying import close_campaign, confirm_removal, decide_item, open_campaign

WORLD = adopted()
NOW = SimulatedClock().now()
DAY = timedelta(days=1)


def _begin(
    person: PersonId = ERIN,
    title: str = "Q1",
    reviewers: tuple[PersonId, ...] = (BOB, CAROL),
    last: timedelta = DAY,
) -> Campaign | Refusal:
    command = Open(
        campaign=CampaignId("c-1"), title=title, person=person, reviewers=reviewers, due=NOW + last, source="t"
    )
    events = campaigns.open_campaign(WORLD, command, NOW)
    if isinstance(events, Refusal):
        return events
    state: Campaign | None = None
    for event in events:
        state = campaigns.evolve(state, event)
    assert state is not None
    return state


def _begun() -> Campaign:
    state = _begin()
    assert isinstance(state, Campaign)
    return state


def _number(state: Campaign, person: PersonId) -> int:
    return next(one.number for one in state.items if (one.person, one.role) == (person, READ))


def _decide(
    state: Campaign, whose: PersonId, by: PersonId, *, keep: bool = True, after: timedelta = timedelta(0)
) -> tuple[object, ...] | Refusal:
    command = DecideItem(person=by, number=_number(state, whose), keep=keep, source="t")
    return campaigns.decide(state, command, WORLD, NOW + after)


def _code(answer: object) -> Code:
    assert isinstance(answer, Refusal), answer
    assert answer.sentence and answer.next_step
    return answer.code


def test_the_snapshot_holds_everything_anybody_may_ask_for_and_nobody_decides_on_their_own() -> None:
    state = _begun()
    assert len(state.items) == 8
    assert all(one.reviewers and one.person not in one.reviewers for one in state.items)


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"title": "x" * 201},
        {"reviewers": ()},
        {"reviewers": (PersonId("nobody"),)},
        {"reviewers": (BOB,)},
        {"last": timedelta(0)},
        {"last": DURATION_MAX + timedelta(seconds=1)},
    ],
)
def test_a_campaign_that_cannot_be_decided_or_does_not_end_is_not_begun(wrong: dict[str, object]) -> None:
    assert _code(_begin(**wrong)) is Code.CAMPAIGN_INVALID  # type: ignore[arg-type]


def test_only_an_administrator_begins_one() -> None:
    assert _code(_begin(person=ALICE)) is Code.PERMISSION_DENIED


def test_a_removal_takes_it_away_and_is_decided_once() -> None:
    state = _begun()
    events = _decide(state, ALICE, BOB, keep=False)
    assert not isinstance(events, Refusal)
    decided, removed = events
    assert isinstance(decided, CampaignDecided)
    assert removed == EligibilityRemoved(campaign=state.id, person=ALICE, target=SHOP, role=READ)
    after = campaigns.evolve(state, decided)
    assert after is not None and _code(_decide(after, ALICE, CAROL)) is Code.CAMPAIGN_DECIDED


def test_nobody_decides_on_what_is_theirs_without_being_named_or_after_the_end() -> None:
    state = _begun()
    assert _code(_decide(state, BOB, BOB)) is Code.CAMPAIGN_NOT_ENTITLED
    assert _code(_decide(state, ALICE, ERIN)) is Code.CAMPAIGN_NOT_ENTITLED
    assert _code(_decide(state, ALICE, BOB, after=DAY)) is Code.CAMPAIGN_CLOSED


def test_silence_removes_but_not_before_the_time_is_up() -> None:
    state = _begun()
    assert campaigns.decide(state, CloseWhenDue(), WORLD, NOW + DAY - timedelta(seconds=1)) == ()
    events = campaigns.decide(state, CloseWhenDue(), WORLD, NOW + DAY)
    assert not isinstance(events, Refusal)
    closed, *removed = events
    assert isinstance(closed, CampaignClosed) and (closed.kept, closed.removed) == (0, 8)
    assert len(removed) == 8


async def test_what_was_removed_stays_away_until_it_is_confirmed_gone_and_that_is_said_once() -> None:
    place = await Workplace.open()
    due = place.clock.now() + DAY
    begun = await open_campaign(place.office, title="Q1", person=ERIN, reviewers=(BOB, CAROL), due=due, source="t")
    assert isinstance(begun, Campaign)
    number = _number(begun, ALICE)
    await decide_item(
        place.office, campaign=begun.id, number=number, person=BOB, keep=False, comment="left", source="t"
    )
    (removal,) = place.in_force().standing.removals
    assert not place.in_force().eligible(ALICE, SHOP, READ)
    for _ in range(2):
        standing = await confirm_removal(place.office, removal)
        assert not standing.removals
    assert place.in_force().eligible(ALICE, SHOP, READ)
    place.clock.advance(DAY)
    closed = await close_campaign(place.office, begun.id)
    assert closed.closed is not None and closed.closed.removed == 8
    assert await close_campaign(place.office, begun.id) == closed
