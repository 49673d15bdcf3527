"""The rules of reviews, as pure decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sojourn.domain import review as reviews
from sojourn.domain.events import ReviewConcluded, ReviewOpened, ReviewOutcome, ReviewOverdue, TeamsBlocked
from sojourn.domain.identifiers import GrantId, PersonId, RequestId
from sojourn.domain.review import CHECKLIST, NOTES_MAX, Conclude, Note, ReportReviewOverdue, Review
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.organisation import ALICE, BOB, CAROL, ENGINEERS, ERIN, FRANK, adopted

WORLD = adopted()
NOW = SimulatedClock().now()
TEXT = Sealed(commitment="0" * 64, key="k")
YES = ("yes",) * len(CHECKLIST)
OPEN = Review(
    opened=ReviewOpened(
        grant=GrantId("g-1"),
        request=RequestId("r-1"),
        person=ALICE,
        reviewers=(BOB,),
        involved=(ALICE, CAROL, ERIN),
        due=NOW,
        teams=(ENGINEERS,),
        break_glass=False,
        declared=(),
        checklist=CHECKLIST,
        configuration_version=1,
    )
)


def _conclude(
    state: Review = OPEN,
    person: PersonId = BOB,
    outcome: ReviewOutcome = ReviewOutcome.APPROPRIATE,
    answers: tuple[str, ...] = YES,
    remark: Sealed | None = None,
) -> tuple[object, ...] | Refusal:
    command = Conclude(
        person=person, outcome=outcome, answers=answers, sessions=1, actions=2, writes=0, source="t", remark=remark
    )
    return reviews.decide(state, command, WORLD, NOW)


def _code(answer: tuple[object, ...] | Refusal) -> Code:
    assert isinstance(answer, Refusal), answer
    assert answer.sentence and answer.next_step
    return answer.code


def _overdue() -> Review:
    events = reviews.decide(OPEN, ReportReviewOverdue(), WORLD, NOW)
    assert not isinstance(events, Refusal)
    state = reviews.evolve(OPEN, events[0])
    assert state is not None
    return state


def test_when_it_is_overdue_the_teams_are_blocked_and_auditors_who_had_no_part_may_conclude() -> None:
    assert reviews.decide(OPEN, ReportReviewOverdue(), WORLD, NOW - timedelta(seconds=1)) == ()
    events = reviews.decide(OPEN, ReportReviewOverdue(), WORLD, NOW)
    assert events == (
        ReviewOverdue(grant=GrantId("g-1"), due=NOW, escalated_to=(FRANK,)),
        TeamsBlocked(grant=GrantId("g-1"), person=ALICE, teams=(ENGINEERS,)),
    )
    assert reviews.decide(_overdue(), ReportReviewOverdue(), WORLD, NOW) == ()


def test_concluding_an_overdue_review_unblocks_and_one_in_time_does_not_need_to() -> None:
    in_time, late = _conclude(), _conclude(_overdue(), FRANK)
    assert not isinstance(in_time, Refusal) and len(in_time) == 1
    assert not isinstance(late, Refusal) and len(late) == 2


@pytest.mark.parametrize("person", [ALICE, CAROL, ERIN, FRANK, PersonId("nobody")])
def test_nobody_who_had_a_part_in_it_or_is_not_named_concludes_it(person: PersonId) -> None:
    assert _code(_conclude(person=person)) is Code.REVIEW_NOT_ENTITLED


def test_it_is_concluded_once_and_nothing_is_said_afterwards() -> None:
    events = _conclude()
    assert not isinstance(events, Refusal)
    (concluded,) = events
    assert isinstance(concluded, ReviewConcluded)
    state = reviews.evolve(OPEN, concluded)
    assert state is not None
    assert _code(_conclude(state)) is Code.REVIEW_CONCLUDED
    assert _code(reviews.decide(state, Note(person=BOB, text=TEXT, source="t"), WORLD, NOW)) is Code.REVIEW_CONCLUDED


@pytest.mark.parametrize("answers", [(), YES[:-1], (*YES, "yes"), ("maybe", *YES[1:]), ("no", *YES[1:])])
def test_every_point_is_answered_and_a_no_is_not_simply_appropriate(answers: tuple[str, ...]) -> None:
    assert _code(_conclude(answers=answers)) is Code.REVIEW_INCOMPLETE


@pytest.mark.parametrize("outcome", [one for one in ReviewOutcome if one is not ReviewOutcome.APPROPRIATE])
def test_every_other_outcome_needs_a_remark(outcome: ReviewOutcome) -> None:
    assert _code(_conclude(outcome=outcome)) is Code.REVIEW_INCOMPLETE
    assert not isinstance(_conclude(outcome=outcome, answers=("no", *YES[1:]), remark=TEXT), Refusal)


def test_an_open_question_is_in_the_way_until_it_is_answered() -> None:
    asked = reviews.decide(OPEN, Note(person=BOB, text=TEXT, source="t", question=True), WORLD, NOW)
    assert not isinstance(asked, Refusal)
    state = reviews.evolve(OPEN, asked[0])
    assert state is not None and _code(_conclude(state)) is Code.REVIEW_INCOMPLETE
    other = reviews.decide(state, Note(person=ALICE, text=TEXT, source="t", answers=2), WORLD, NOW)
    assert _code(other) is Code.REVIEW_QUESTION_UNKNOWN
    answered = reviews.decide(state, Note(person=ALICE, text=TEXT, source="t", answers=1), WORLD, NOW)
    assert not isinstance(answered, Refusal)
    after = reviews.evolve(state, answered[0])
    assert after is not None and not isinstance(_conclude(after), Refusal)


def test_only_those_concerned_take_part_and_not_without_end() -> None:
    said = Note(person=FRANK, text=TEXT, source="t")
    assert _code(reviews.decide(OPEN, said, WORLD, NOW)) is Code.REVIEW_UNKNOWN
    full = replace(OPEN, notes=NOTES_MAX)
    assert _code(reviews.decide(full, replace(said, person=BOB), WORLD, NOW)) is Code.REVIEW_NOTES_FULL
