"""Judges a question by the policy: the terms of the rules that apply, or why there are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar, assert_never

from sojourn.domain.identifiers import PersonId
from sojourn.errors import Code, Refusal

from .calendar import closing
from .compiled import Line, Policy
from .duties import Done, apart_refusal, barred, barring
from .explaining import explain, in_short
from .question import Facts, Question
from .rules import Exclusion
from .separation import Duty
from .terms import ApproverGroup, BreakGlass, Escalation, Requirements, Review, Terms
from .when import holds

SECOND = timedelta(seconds=1)

Value = TypeVar("Value")


def judge(policy: Policy, question: Question) -> Terms | Refusal:
    """The terms under which the answer is yes, or the first thing that is not known or not allowed.

    Whether they are met is another matter: see `requirements.lacking` and `terms.missing`.
    """
    applying = applying_lines(policy, question)
    if not applying:
        return _not_allowed(policy, question)
    return duties_apart(policy, question) or merged(policy, question, applying)


def duties_apart(policy: Policy, question: Question) -> Refusal | None:
    """Why the requester may not ask, or somebody who is to carry it out may not: asked of the facts of the moment.

    Whoever asks for an access executes under it, and so do those whom the ticket names.
    """
    if not policy.separated:
        return None  # What every policy keeps apart from asking is done later, and never by whoever asked.
    person, facts = question.person, question.facts
    done = {Duty.CERTIFY: facts.certified}
    refusals = (
        apart_refusal(policy, Duty.REQUEST, person, done),
        *(apart_refusal(policy, Duty.EXECUTE, one, done) for one in (person, *facts.executing)),
    )
    return next((one for one in refusals if one is not None), None)


def applying_lines(policy: Policy, question: Question) -> tuple[Line, ...]:
    """The rules that apply: all their conditions hold, and no other that applies says that it is instead of them."""
    person, glass = question.person, question.break_glass
    if person not in policy.people:
        return ()
    found = tuple(
        line
        for line in policy.offered.get((question.target, question.role), ())
        if person in line.who
        and (line.rule.break_glass is not None) is glass
        and (line.unconditional or holds(line.rule.when, question))
    )
    if len(found) > 1:
        replaced = {name for line in found for name in line.rule.instead_of}
        if replaced:
            found = tuple(line for line in found if line.rule.name not in replaced)
    return found


def _not_allowed(policy: Policy, question: Question) -> Refusal:
    person, target, role = question.person, question.target, question.role
    if person not in policy.people:
        return Refusal(Code.PERSON_UNKNOWN, {"person": person})
    known = policy.targets.get(target)
    if known is None:
        return Refusal(Code.TARGET_UNKNOWN, {"target": target})
    if known.role(role) is None:
        offered = ", ".join(one.name for one in known.roles)
        return Refusal(Code.ROLE_UNKNOWN, {"target": target, "role": role, "known": offered})
    why = in_short(explain(policy, question))
    return Refusal(Code.POLICY_NO_RULE, {"person": person, "target": target, "role": role, "why": why})


def excluded(policy: Policy, person: PersonId, facts: Facts, exclusions: Iterable[Exclusion]) -> frozenset[PersonId]:
    """Who may not decide on what `person` asks: they themselves, by whatever account, and whom rules and duties bar."""
    return frozenset(why_excluded(policy, person, facts, exclusions))


def why_excluded(
    policy: Policy, person: PersonId, facts: Facts, exclusions: Iterable[Exclusion]
) -> Mapping[PersonId, str]:
    """The same people, each with why in words that fit behind their name: the first of several reasons."""
    own = policy.accounts.get(person, frozenset((person,)))
    found: dict[PersonId, str] = dict.fromkeys(own, "it is their own, by whatever account")
    if len(policy.apart[Duty.APPROVE]) > 1:
        # Besides asking, which bars in every policy.
        done = done_so_far(facts)
        for one in barred(policy, Duty.APPROVE, done):
            other = barring(policy, Duty.APPROVE, one, done)
            found.setdefault(one, f"the policy keeps apart to approve and to {other}")
    for exclusion in exclusions:
        for one in _excluded_by(exclusion, policy, own, facts):
            found.setdefault(one, WHY_EXCLUDED[exclusion])
    return found


WHY_EXCLUDED = {
    Exclusion.MANAGER: "the rule leaves out the manager of whoever asks",
    Exclusion.SUBORDINATE: "the rule leaves out who reports to whoever asks",
    Exclusion.RECIPROCAL: "whoever asks lately approved a request of theirs, and the rule leaves that out",
    Exclusion.DEPLOYER: "they deployed what runs there, and the rule leaves that out",
    Exclusion.EXECUTOR: "they are to carry it out, and the rule leaves that out",
}


def _excluded_by(exclusion: Exclusion, policy: Policy, own: frozenset[PersonId], facts: Facts) -> Iterable[PersonId]:
    match exclusion:
        case Exclusion.MANAGER:
            managers = (policy.people[one].manager for one in own if one in policy.people)
            return [one for one in managers if one is not None]
        case Exclusion.SUBORDINATE:
            return [report for one in own for report in policy.reports.get(one, ())]
        case Exclusion.RECIPROCAL:
            return facts.approved_by_requester
        case Exclusion.DEPLOYER:
            return facts.deployed
        case Exclusion.EXECUTOR:
            return facts.executing
        case _:
            assert_never(exclusion)


def done_so_far(facts: Facts) -> Done:
    """Who did, or is to do, which duty for what is asked, as far as it is known by now; the requester besides."""
    return {Duty.EXECUTE: facts.executing, Duty.CERTIFY: facts.certified}


def merged(policy: Policy, question: Question, lines: Sequence[Line]) -> Terms:
    """The strictest reading of all lines together. A manager's manager is no manager here; chains are not followed."""
    out = excluded(policy, question.person, question.facts, (one for line in lines for one in line.rule.excluded))
    rules = [line.rule for line in lines]
    groups = merged_groups(lines, out)
    return Terms(
        rules=tuple(sorted(rule.name for rule in rules)),
        longest=min(_longest(line, question) for line in lines),
        groups=groups,
        requirements=_requirements(lines),
        decide_within=min(rule.decide_within for rule in rules),
        activate_within=min(rule.activate_within for rule in rules),
        automatic="" if groups else "; ".join(rule.automatic for rule in rules if rule.automatic),
        escalation=_escalation(lines, out),
        review=_review(policy, lines, question),
        break_glass=_break_glass(lines),
    )


def _longest(line: Line, question: Question) -> timedelta:
    """An access that begins within a rule's hours ends within them."""
    longest, windows = line.rule.longest, line.rule.when.windows
    if not windows:
        return longest
    close = closing(windows, question.moment, question.moment + longest)
    return (close - question.moment) // SECOND * SECOND if close is not None else timedelta(0)


def merged_groups(lines: Sequence[Line], out: frozenset[PersonId]) -> tuple[ApproverGroup, ...]:
    """The groups that have to approve under all of the lines, without the people who are `out`."""
    if len(lines) == 1:
        return tuple(
            ApproverGroup(name=one.name, people=tuple(who for who in one.people if who not in out), needed=one.needed)
            for one in lines[0].groups
        )
    people: dict[str, frozenset[PersonId]] = {}
    needed: dict[str, int] = {}
    for line in lines:
        for group in line.groups:
            members = frozenset(group.people) - out
            people[group.name] = people.get(group.name, members) & members
            needed[group.name] = max(needed.get(group.name, 1), group.needed)
    return tuple(
        ApproverGroup(name=name, people=tuple(sorted(members)), needed=needed[name]) for name, members in people.items()
    )


def _requirements(lines: Sequence[Line]) -> Requirements:
    if len(lines) == 1:
        return lines[0].requirements
    each = [line.requirements for line in lines]
    return Requirements(
        reason=any(one.reason for one in each),
        reason_codes=_common([one.reason_codes for one in each if one.reason_codes is not None]),
        tickets=tuple(dict.fromkeys(ticket for one in each for ticket in one.tickets)),
        activities=_common([one.activities for one in each if one.activities is not None]),
        deployment=any(one.deployment for one in each),
    )


def _common(choices: Sequence[tuple[Value, ...]]) -> tuple[Value, ...] | None:
    """What all of them allow; None if none of them asks for anything."""
    if not choices:
        return None
    return tuple(one for one in choices[0] if all(one in other for other in choices[1:]))


def _shared(sets: Sequence[tuple[PersonId, ...]], out: frozenset[PersonId]) -> tuple[PersonId, ...]:
    return tuple(sorted(frozenset.intersection(*map(frozenset, sets)) - out))


def _escalation(lines: Sequence[Line], out: frozenset[PersonId]) -> Escalation | None:
    """Only where every rule that has decisions escalates; to the people whom all of them name."""
    deciding = [line for line in lines if line.groups]
    rules = [line.rule.escalation for line in deciding]
    if not rules or any(rule is None for rule in rules):
        return None
    after = max(rule.after for rule in rules if rule is not None)
    return Escalation(after=after, people=_shared([line.escalation for line in deciding], out))


def _review(policy: Policy, lines: Sequence[Line], question: Question) -> Review | None:
    """By the people whom all rules with a review name; never by the requester, by whatever account."""
    asking = [(line.rule.review, line.review) for line in lines if line.rule.review is not None]
    if not asking:
        return None
    out = policy.accounts.get(question.person, frozenset((question.person,)))
    out |= barred(policy, Duty.REVIEW, done_so_far(question.facts))
    within = min(rule.within for rule, _ in asking if rule is not None)
    return Review(within=within, people=_shared([people for _, people in asking], out))


def _break_glass(lines: Sequence[Line]) -> BreakGlass | None:
    rules = [line.rule.break_glass for line in lines if line.rule.break_glass is not None]
    if not rules:
        return None
    return BreakGlass(
        uses=min(rule.uses for rule in rules),
        per=max(rule.per for rule in rules),
        people=tuple(sorted({person for line in lines for person in line.tell})),
    )
