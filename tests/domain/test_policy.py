"""The policy's rules, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName, TeamName
from sojourn.domain.people import Person, Team
from sojourn.domain.policy import People, Question, Rule, Terms, judge
from sojourn.domain.target import Role, Target, TargetKind
from sojourn.errors import Refusal

A, B, C, D = (PersonId(one) for one in "abcd")
SHOP, READ = TargetName("shop"), RoleName("read")
TEAM = TeamName("team")


def rule(name: str = "one", **changes: object) -> Rule:
    plain = Rule(
        name=RuleName(name),
        who=People(people=(A,)),
        targets=(SHOP,),
        roles=(READ,),
        longest=timedelta(hours=1),
        approvers=People(people=(B, C)),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


TARGET = Target(
    name=SHOP,
    kind=TargetKind.POSTGRES,
    host="shop.example",
    port=5432,
    database="shop",
    administrator="sojourn",
    administrator_secret="shop",
    roles=(Role(name=READ, privileges=()),),
)


def terms(*rules: Rule, person: PersonId = A, teams: tuple[Team, ...] = ()) -> Terms | None:
    people = tuple(Person(id=one, name=one) for one in (A, B, C, D))
    catalogue = Catalogue(people=people, teams=teams, targets=(TARGET,), rules=rules)
    moment = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
    asked = Question(person=person, target=SHOP, role=READ, duration=timedelta(seconds=1), moment=moment)
    found = judge(catalogue.policy(), asked)
    return None if isinstance(found, Refusal) else found


def test_nothing_is_allowed_without_a_rule() -> None:
    assert terms() is None


def test_a_rule_for_another_person_target_or_role_allows_nothing() -> None:
    assert terms(rule(), person=D) is None
    assert terms(rule(targets=(TargetName("billing"),))) is None
    assert terms(rule(roles=(RoleName("amend"),))) is None


def test_when_several_rules_fit_the_strictest_of_each_term_counts() -> None:
    strict = terms(
        rule(approvals=2, reason_required=False, decide_within=timedelta(hours=2)),
        rule("two", longest=timedelta(minutes=5), activate_within=timedelta(minutes=1)),
    )
    assert strict is not None
    assert strict.rules == ("one", "two")
    assert strict.longest == timedelta(minutes=5)
    assert strict.approvals == 2
    assert strict.reason_required
    assert strict.decide_within == timedelta(hours=2)
    assert strict.activate_within == timedelta(minutes=1)


def test_only_people_whom_every_fitting_rule_names_can_decide() -> None:
    both = terms(rule(), rule("two", approvers=People(people=(C, D))))
    assert both is not None
    assert both.approvers == (C,)


def test_a_rule_that_does_not_fit_restricts_nothing() -> None:
    alone = terms(rule(), rule("two", who=People(people=(D,)), longest=timedelta(seconds=1), approvals=9))
    assert alone is not None
    assert (alone.longest, alone.approvals, alone.rules) == (timedelta(hours=1), 1, ("one",))


def test_the_requester_is_never_among_the_approvers() -> None:
    everybody = terms(rule(approvers=People(people=(A, B))))
    assert everybody is not None
    assert everybody.approvers == (B,)


def test_a_person_in_two_teams_and_named_besides_counts_once() -> None:
    teams = (Team(name=TEAM, members=(B, C)), Team(name=TeamName("other"), members=(B,)))
    counted = terms(rule(approvers=People(people=(B,), teams=(TEAM, TeamName("other")))), teams=teams)
    assert counted is not None
    assert counted.approvers == (B, C)


def test_a_rule_that_says_zero_approvals_still_takes_one() -> None:
    for approvals in (0, -3):
        found = terms(rule(approvals=approvals))
        assert found is not None
        assert found.approvals == 1


def test_a_team_that_the_rule_does_not_name_gives_nothing() -> None:
    teams = (Team(name=TEAM, members=(D,)),)
    assert terms(rule(), person=D, teams=teams) is None
    assert terms(rule(who=People(teams=(TEAM,))), person=D, teams=teams) is not None


_people = st.lists(st.sampled_from([A, B, C, D]), max_size=4).map(tuple)
_rules = st.lists(
    st.builds(
        rule,
        name=st.sampled_from(["x", "y", "z"]),
        who=st.builds(People, people=_people),
        approvers=st.builds(People, people=_people),
        longest=st.integers(1, 9).map(lambda hours: timedelta(hours=hours)),
        approvals=st.integers(0, 3),
    ),
    max_size=5,
)


@given(rules=_rules, more=_rules)
def test_another_rule_that_fits_never_makes_the_terms_looser(rules: list[Rule], more: list[Rule]) -> None:
    before, after = terms(*rules), terms(*rules, *more)
    if before is None:
        return
    assert after is not None
    assert after.longest <= before.longest
    assert after.approvals >= before.approvals
    assert set(after.approvers) <= set(before.approvers)
    assert A not in after.approvers


@given(rules=st.permutations([rule(), rule("two", approvals=2), rule("three", longest=timedelta(minutes=1))]))
def test_the_order_of_the_rules_makes_no_difference(rules: list[Rule]) -> None:
    assert terms(*rules) == terms(rule(), rule("two", approvals=2), rule("three", longest=timedelta(minutes=1)))
