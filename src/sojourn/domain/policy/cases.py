"""Tests of a policy, as people write them: a question, and what the answer has to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sojourn.domain.duration import format_duration
from sojourn.domain.identifiers import PersonId
from sojourn.errors import Refusal

from .compiled import Policy
from .explaining import explain, in_short
from .judging import judge
from .question import Question
from .requirements import lacking, undecidable
from .terms import Terms, counts, missing_in_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the answer has to be; what is None or empty is not looked at.

    `refused` is the code of the refusal, and excludes the others. `needed` gives each group its number; `approved`
    says whether the approvals that are given are enough.
    """

    refused: str = ""
    rules: tuple[str, ...] | None = None
    longest: timedelta | None = None
    needed: tuple[tuple[str, int], ...] | None = None
    automatic: bool | None = None
    approved: bool | None = None
    reviewed: bool | None = None
    may_decide: tuple[PersonId, ...] = ()
    may_not_decide: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test: `given` are the people who have approved. `line` is its place in the file, from 1."""

    name: str
    line: int
    question: Question
    reason_given: bool
    given: tuple[PersonId, ...]
    expected: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a case: nothing to say when it holds, else what is otherwise."""

    case: Case
    problems: tuple[str, ...]
    explanation: str

    @property
    def holds(self) -> bool:
        """Whether the answer is the expected one."""
        return not self.problems


def try_case(policy: Policy, case: Case) -> Outcome:
    """Ask the policy, and compare."""
    answer = _answer(policy, case)
    found = explain(policy, case.question)
    if isinstance(answer, Refusal):
        said = f"refused ({answer.code}): {answer.sentence}"
        expected = case.expected.refused
        problems = () if expected == answer.code else (f"it is {said}",)
        return Outcome(case=case, problems=problems, explanation=said)
    said = f"allowed by {', '.join(answer.rules)}"
    others = [one for one in found if not one.applies]
    explanation = f"{said}; {in_short(others)}" if others else said
    return Outcome(case=case, problems=tuple(_problems(case, answer, said)), explanation=explanation)


def _answer(policy: Policy, case: Case) -> Terms | Refusal:
    terms = judge(policy, case.question)
    if isinstance(terms, Refusal):
        return terms
    return lacking(terms, case.question, reason_given=case.reason_given) or undecidable(terms) or terms


def _problems(case: Case, terms: Terms, said: str) -> Iterator[str]:
    expected = case.expected
    if expected.refused:
        yield f"it is {said}"
        return
    if expected.rules is not None and set(expected.rules) != set(terms.rules):
        yield f"the rules are {', '.join(terms.rules)}"
    if expected.longest is not None and expected.longest != terms.longest:
        yield f"the longest is {format_duration(terms.longest)}"
    needed = tuple(sorted((group.name, group.needed) for group in terms.groups))
    if expected.needed is not None and tuple(sorted(expected.needed)) != needed:
        yield f"needed are {', '.join(f'{name}: {number}' for name, number in needed) or 'no approvals'}"
    if expected.automatic is not None and expected.automatic is not bool(terms.automatic):
        yield f"it is {'' if terms.automatic else 'not '}automatic"
    if expected.reviewed is not None and expected.reviewed is not (terms.review is not None):
        yield f"there is {'a' if terms.review is not None else 'no'} review"
    missing = missing_in_all(terms.groups, case.given)
    if expected.approved is not None and expected.approved is not (missing == 0):
        yield f"{missing} approvals are missing"
    for person in expected.may_decide:
        if not counts(terms.groups, person):
            yield f"{person} may not decide"
    for person in expected.may_not_decide:
        if counts(terms.groups, person):
            yield f"{person} may decide"
