"""Decisions of several groups: people are matched to places, and nobody fills two."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.identifiers import PersonId
from sojourn.domain.policy import ApproverGroup, counts, missing, missing_in_all

NAMES = [PersonId(one) for one in "abcdef"]


def group(name: str, people: str, needed: int = 1) -> ApproverGroup:
    return ApproverGroup(name=name, people=tuple(PersonId(one) for one in people), needed=needed)


def approved(people: str) -> list[PersonId]:
    return [PersonId(one) for one in people]


def test_one_person_in_two_groups_fills_one_place() -> None:
    both = (group("lead", "ab"), group("owner", "ab"))
    assert missing_in_all(both, approved("a")) == 1
    assert missing_in_all(both, approved("aa")) == 1
    assert missing_in_all(both, approved("ab")) == 0


def test_who_can_fill_two_places_takes_the_one_that_nobody_else_can() -> None:
    groups = (group("lead", "ab"), group("owner", "bc"))
    assert missing(groups, approved("b")) == (("lead", 0), ("owner", 1))
    assert missing(groups, approved("ba")) == (("lead", 0), ("owner", 0))
    assert missing(groups, approved("bc")) == (("lead", 0), ("owner", 0))


def test_every_group_has_to_be_filled_and_not_only_the_number() -> None:
    groups = (group("lead", "ab"), group("owner", "c"))
    assert missing(groups, approved("ab")) == (("lead", 0), ("owner", 1))


def test_the_word_of_somebody_in_no_group_counts_for_nothing() -> None:
    groups = (group("lead", "ab", 2),)
    assert not counts(groups, PersonId("c"))
    assert missing(groups, approved("ccc")) == (("lead", 2),)


def test_without_groups_nothing_is_missing() -> None:
    assert missing((), approved("a")) == ()


_groups = st.lists(
    st.tuples(st.sets(st.sampled_from(NAMES)), st.integers(1, 2)).map(
        lambda found: ApproverGroup(name="g", people=tuple(sorted(found[0])), needed=found[1])
    ),
    max_size=3,
)


@given(groups=_groups, people=st.sets(st.sampled_from(NAMES), max_size=5))
def test_as_many_places_are_filled_as_the_best_seating_fills(
    groups: list[ApproverGroup], people: set[PersonId]
) -> None:
    """Compared with trying every seating."""
    places = [one for one in groups for _ in range(one.needed)]
    padded: list[PersonId | None] = [*people, *[None] * len(places)]
    best = max(
        (
            sum(person in place.people for person, place in zip(seats, places, strict=False) if person is not None)
            for seats in set(permutations(padded[: max(len(places), len(people))], len(places)))
        ),
        default=0,
    )
    assert missing_in_all(groups, people) == len(places) - best


@given(groups=_groups, people=st.lists(st.sampled_from(NAMES), max_size=6), one=st.sampled_from(NAMES))
def test_one_more_approval_fills_one_place_at_most_and_never_empties_one(
    groups: list[ApproverGroup], people: list[PersonId], one: PersonId
) -> None:
    before, after = missing_in_all(groups, people), missing_in_all(groups, [*people, one])
    assert before - 1 <= after <= before
    assert sum(lacks for _, lacks in missing(groups, people)) == before
