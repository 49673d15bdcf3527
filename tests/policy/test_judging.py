"""How rules are judged: conditions, exclusions, requirements, and several rules at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sojourn.domain.identifiers import RuleName
from sojourn.domain.policy import (
    BreakGlassRule,
    CalendarWindow,
    Decision,
    Duty,
    EscalationRule,
    Exclusion,
    Facts,
    People,
    ReviewRule,
    Separation,
    Ticket,
    TicketRequirement,
    When,
    escalated,
    lacking,
    missing_in_all,
    undecidable,
)
from sojourn.errors import Code

from .world import (
    ANN,
    BEN,
    BILLING,
    BOT,
    CAT,
    DAN,
    DEVELOPERS,
    EVE,
    FIX,
    HOUR,
    LEADS,
    NOW,
    SHOP,
    TEST,
    answer,
    facts,
    question,
    refusal,
    rule,
    terms,
    why,
)

OFFICE = When(windows=(CalendarWindow(zone="Europe/Berlin", days=(0, 1, 2, 3, 4), start=9 * 60, end=17 * 60),))
NIGHT = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
TICKET = Ticket(id="CHG-1", kind="change", state="approved")


# Who is meant, and what


def test_an_attribute_narrows_a_team_down_and_alone_picks_from_everybody() -> None:
    employee = (("contract", ("employee",)),)
    assert answer(rule(who=People(teams=(DEVELOPERS,), attributes=employee))) == terms(rule())
    assert refusal(rule(who=People(teams=(DEVELOPERS,), attributes=employee)), person=BEN).code is Code.POLICY_NO_RULE
    assert terms(rule(who=People(attributes=employee)), person=CAT).rules == ("one",)


def test_who_is_taken_out_of_a_set_is_not_in_it_however_they_came_in() -> None:
    chosen = People(people=(ANN,), teams=(DEVELOPERS,), except_people=(ANN,))
    assert refusal(rule(who=chosen)).code is Code.POLICY_NO_RULE
    assert refusal(rule(who=People(people=(ANN, CAT), except_teams=(DEVELOPERS,)))).code is Code.POLICY_NO_RULE


def test_a_rule_by_label_is_about_targets_that_have_every_label_and_no_other() -> None:
    labelled = rule(targets=(), labels=(("tier", ("production",)), ("data", ("money", "people"))))
    assert terms(labelled, target=BILLING).rules == ("one",)
    for other in (SHOP, TEST):
        assert refusal(labelled, target=other).code is Code.POLICY_NO_RULE


def test_a_target_can_be_named_beside_a_label() -> None:
    both = rule(targets=(TEST,), labels=(("data", ("money",)),))
    assert terms(both, target=TEST) == terms(both, target=BILLING)
    assert refusal(both, target=SHOP).code is Code.POLICY_NO_RULE


# When


def test_a_rule_with_hours_applies_only_within_them() -> None:
    assert terms(rule(when=OFFICE)).rules == ("one",)
    found = refusal(rule(when=OFFICE), moment=NIGHT)
    assert found.code is Code.POLICY_NO_RULE
    assert "2026-03-02 23:00 UTC is not within mon-fri 09:00-17:00 Europe/Berlin" in found.sentence


def test_an_access_that_begins_within_the_hours_ends_within_them() -> None:
    late = NOW.replace(hour=15, minute=50)
    assert terms(rule(when=OFFICE), moment=late).longest == timedelta(minutes=10)
    assert terms(rule(when=OFFICE), moment=NOW).longest == HOUR


def test_a_rule_for_people_on_call_is_for_them_only_while_they_are() -> None:
    on_call = rule(when=When(on_call=True))
    assert refusal(on_call).code is Code.POLICY_NO_RULE
    assert refusal(on_call, facts=facts(on_call=(BEN,))).code is Code.POLICY_NO_RULE
    assert terms(on_call, facts=facts(on_call=(BEN, ANN))).rules == ("one",)


def test_a_rule_for_incidents_needs_one_to_be_named() -> None:
    incident = rule(when=When(incident=True))
    assert "no incident is named" in refusal(incident).sentence
    assert terms(incident, facts=facts(incident="inc-7")).rules == ("one",)


def test_every_condition_has_to_hold() -> None:
    both = rule(when=When(incident=True, on_call=True))
    assert refusal(both, facts=facts(incident="inc-7")).code is Code.POLICY_NO_RULE
    assert terms(both, facts=facts(incident="inc-7", on_call=(ANN,))).rules == ("one",)


# Several rules


def test_all_rules_that_apply_count_and_groups_of_other_names_are_added() -> None:
    lead = Decision(name="lead", people=People(people=(CAT, DAN)))
    owner = Decision(name="owner", people=People(people=(DAN, EVE)), needed=2)
    found = terms(rule(decisions=(lead,)), rule("two", decisions=(owner,)))
    assert [(group.name, group.people, group.needed) for group in found.groups] == [
        ("lead", (CAT, DAN), 1),
        ("owner", (DAN, EVE), 2),
    ]
    assert found.approvals == 3
    assert missing_in_all(found.groups, (DAN, EVE)) == 1


def test_a_group_of_the_same_name_is_the_same_place_for_whom_all_rules_name() -> None:
    one = rule(decisions=(Decision(name="lead", people=People(people=(BEN, CAT))),))
    two = rule("two", decisions=(Decision(name="lead", people=People(people=(CAT, DAN))),))
    assert [(group.people, group.needed) for group in terms(one, two).groups] == [((CAT,), 1)]


def test_a_rule_can_step_in_for_another_and_only_where_it_applies() -> None:
    ordinary = rule()
    urgent = rule("urgent", automatic="on call", when=When(on_call=True), instead_of=(RuleName("one"),))
    assert terms(ordinary, urgent).rules == ("one",)
    found = terms(ordinary, urgent, facts=facts(on_call=(ANN,)))
    assert (found.rules, found.groups, found.automatic) == (("urgent",), (), "on call")
    assert why(ordinary, urgent, facts=facts(on_call=(ANN,)))["one"] == ("urgent applies instead of it",)


def test_a_longer_access_can_have_its_own_rule() -> None:
    long = rule("long", longest=8 * HOUR, approvals=2, when=When(longer_than=HOUR), instead_of=(RuleName("one"),))
    assert terms(rule(), long, duration=HOUR).approvals == 1
    found = terms(rule(), long, duration=2 * HOUR)
    assert (found.approvals, found.longest) == (2, 8 * HOUR)


def test_nothing_is_automatic_as_long_as_one_rule_has_decisions() -> None:
    found = terms(rule(), rule("auto", automatic="read only"))
    assert (found.approvals, found.automatic) == (1, "")


def test_an_automatic_rule_says_so_in_its_terms() -> None:
    found = terms(rule(automatic="test data only"))
    assert (found.groups, found.automatic, found.approvals) == ((), "test data only", 0)
    assert undecidable(found) is None


# Who may not decide


@pytest.mark.parametrize(
    ("excluded", "known", "remaining"),
    [
        ((), facts(), (BEN, CAT, DAN, EVE)),
        ((Exclusion.MANAGER,), facts(), (BEN, CAT, EVE)),
        ((Exclusion.RECIPROCAL,), facts(approved_by_requester=(BEN,)), (CAT, DAN, EVE)),
        ((Exclusion.DEPLOYER,), facts(deployed=(CAT, EVE)), (BEN, DAN)),
        ((Exclusion.EXECUTOR,), facts(executing=(BEN,)), (CAT, DAN, EVE)),
        ((Exclusion.EXECUTOR, Exclusion.DEPLOYER), facts(executing=(BEN,), deployed=(CAT,)), (DAN, EVE)),
        ((Exclusion.MANAGER,), facts(executing=(BEN,), deployed=(CAT,)), (BEN, CAT, EVE)),
    ],
)
def test_whom_a_rule_excludes_cannot_decide_as_of_the_facts(
    excluded: tuple[Exclusion, ...], known: object, remaining: tuple[str, ...]
) -> None:
    assert terms(rule(excluded=excluded), facts=known).approvers == remaining


def test_a_subordinate_cannot_decide_for_their_manager() -> None:
    asked = rule(who=People(people=(DAN,)), approvers=People(people=(ANN, BEN, CAT)), excluded=(Exclusion.SUBORDINATE,))
    assert terms(asked, person=DAN).approvers == (CAT,)


def test_an_exclusion_of_one_rule_counts_for_all_that_apply() -> None:
    assert terms(rule(), rule("two", excluded=(Exclusion.MANAGER,))).approvers == (BEN, CAT, EVE)


def test_an_agent_and_its_owner_never_decide_for_each_other() -> None:
    everybody = People(people=(ANN, BEN, CAT, BOT))
    asked = rule(who=People(people=(ANN, BOT, CAT)), approvers=everybody)
    assert terms(asked, person=BOT).approvers == (BEN, CAT)
    assert terms(asked, person=ANN).approvers == (BEN, CAT)


def test_an_agent_decides_for_nobody() -> None:
    assert BOT not in terms(rule(who=People(people=(CAT,)), approvers=People(people=(ANN, BOT))), person=CAT).approvers


# What must be given


@pytest.mark.parametrize(
    ("changes", "known", "met"),
    [
        ({"reason_codes": ("fix", "look")}, facts(), False),
        ({"reason_codes": ("fix", "look")}, facts(reason_code="look"), True),
        ({"reason_codes": ("fix", "look")}, facts(reason_code="play"), False),
        ({"ticket": TicketRequirement(kinds=("change",), states=("approved",))}, facts(), False),
        ({"ticket": TicketRequirement(kinds=("change",), states=("approved",))}, facts(ticket=TICKET), True),
        ({"ticket": TicketRequirement(kinds=("change",), states=("open",))}, facts(ticket=TICKET), False),
        ({"ticket": TicketRequirement(kinds=("incident",))}, facts(ticket=TICKET), False),
        ({"ticket": TicketRequirement()}, facts(ticket=TICKET), True),
        ({"activities": ("query",)}, facts(), False),
        ({"activities": ("query", "update")}, facts(activities=("query",)), True),
        ({"activities": ("query",)}, facts(activities=("query", "update")), False),
    ],
)
def test_what_a_rule_asks_for_has_to_be_given(changes: dict[str, Any], known: Facts, met: bool) -> None:
    found = lacking(terms(rule(**changes), facts=known), question(facts=known))
    assert (found is None) is met
    assert found is None or (found.code is Code.REQUEST_REQUIREMENT_MISSING and found.sentence)


def test_leaving_out_what_a_rule_asks_for_never_leads_to_a_looser_rule() -> None:
    strict = rule(ticket=TicketRequirement())
    found = terms(strict, rule("loose", automatic="nothing to ask for"))
    assert lacking(found, question()) is not None


def test_with_several_rules_everything_that_any_of_them_asks_for_has_to_be_given() -> None:
    found = terms(rule(reason_codes=("a", "b")), rule("two", reason_codes=("b", "c"), ticket=TicketRequirement()))
    assert found.requirements.reason_codes == ("b",)
    assert lacking(found, question(facts=facts(reason_code="b"))) is not None
    assert lacking(found, question(facts=facts(reason_code="b", ticket=TICKET))) is None


# Escalation, review, break-glass


def test_escalation_lets_more_people_fill_a_place_but_never_the_requester() -> None:
    late = EscalationRule(after=HOUR, to=People(people=(ANN, EVE)))
    found = terms(rule(approvers=People(people=(CAT,)), escalation=late))
    assert found.approvers == (CAT,)
    assert escalated(found).approvers == (CAT, EVE)


def test_a_rule_that_does_not_escalate_keeps_the_others_from_it() -> None:
    late = EscalationRule(after=HOUR, to=People(people=(EVE,)))
    assert terms(rule(escalation=late), rule("two")).escalation is None


def test_a_review_is_never_by_the_holder_nor_by_the_owner_of_an_agent() -> None:
    review = ReviewRule(within=HOUR, by=People(people=(ANN, CAT)))
    asked = rule(who=People(people=(ANN, BOT)), review=review)
    for person in (ANN, BOT):
        found = terms(asked, person=person).review
        assert found is not None and found.people == (CAT,)


def test_break_glass_is_judged_by_its_own_rules_and_ordinary_requests_never_are() -> None:
    glass = rule(
        "glass",
        break_glass=BreakGlassRule(uses=2, per=24 * HOUR, tell=People(teams=(LEADS,))),
        review=ReviewRule(within=HOUR, by=People(teams=(LEADS,))),
    )
    assert refusal(glass).code is Code.POLICY_NO_RULE
    assert refusal(rule(), break_glass=True).code is Code.POLICY_NO_RULE
    assert terms(rule(), glass).rules == ("one",)
    found = terms(rule(), glass, break_glass=True)
    assert (found.rules, found.groups) == (("glass",), ())
    assert found.break_glass is not None and found.break_glass.people == (CAT, DAN)


# Duties


def test_administrators_do_not_decide_where_the_policy_keeps_it_apart() -> None:
    apart = (Separation(name="apart", apart=(Duty.APPROVE, Duty.ADMINISTER)),)
    assert EVE in terms(rule()).approvers
    assert EVE not in terms(rule(), separations=apart).approvers


def test_administrators_do_not_ask_where_the_policy_keeps_it_apart() -> None:
    apart = (Separation(name="apart", apart=(Duty.REQUEST, Duty.ADMINISTER)),)
    asked = rule(who=People(people=(EVE,)))
    assert terms(asked, person=EVE).rules == ("one",)
    assert refusal(asked, separations=apart, person=EVE).code is Code.POLICY_DUTIES_APART


def test_who_will_execute_does_not_decide_where_the_policy_keeps_it_apart() -> None:
    apart = (Separation(name="apart", apart=(Duty.EXECUTE, Duty.APPROVE, Duty.REVIEW)),)
    assert terms(rule(), separations=apart, facts=facts(executing=(BEN,))).approvers == (CAT, DAN, EVE)


# Explaining


def test_every_rule_is_explained_with_what_stood_in_its_way() -> None:
    found = why(rule(when=OFFICE), rule("two", who=People(people=(BEN,))), rule("other", roles=(FIX,)), moment=NIGHT)
    assert found == {
        "one": ("2026-03-02 23:00 UTC is not within mon-fri 09:00-17:00 Europe/Berlin",),
        "two": ("ann is not among those who may ask",),
    }


def test_a_refusal_says_the_same_as_the_explanation() -> None:
    sentence = refusal(rule(who=People(people=(BEN,)))).sentence
    assert "one: ann is not among those who may ask" in sentence


def test_the_rule_that_comes_closest_is_named_first_and_many_are_only_counted() -> None:
    far = tuple(rule(f"far-{n}", who=People(people=(BEN,)), when=OFFICE) for n in range(8))
    sentence = refusal(*far, rule("near", who=People(people=(BEN,))), moment=NIGHT).sentence
    assert sentence.index("near:") < sentence.index("far-0:")
    assert "and 4 more rules" in sentence


def test_without_any_rule_about_it_the_refusal_says_so() -> None:
    assert "no rule is about it" in refusal(rule(roles=(FIX,))).sentence
