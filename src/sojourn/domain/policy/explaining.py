"""Why a question is answered as it is: every rule about it, and each of its conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sojourn.domain.identifiers import RuleName

from .compiled import Line, Policy
from .question import Question
from .when import conditions

SHOWN_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of a rule, as a sentence of what is so, and whether it holds."""

    text: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFound:
    """A rule about the role and the target asked for. It applies when all its conditions hold."""

    rule: RuleName
    conditions: tuple[Condition, ...]

    @property
    def applies(self) -> bool:
        """Whether all its conditions hold."""
        return all(one.holds for one in self.conditions)

    @property
    def failed(self) -> tuple[str, ...]:
        """What stands in the way."""
        return tuple(one.text for one in self.conditions if not one.holds)


def explain(policy: Policy, question: Question) -> tuple[RuleFound, ...]:
    """Every rule about the role and the target asked for, in the policy's order, with each of its conditions."""
    lines = policy.offered.get((question.target, question.role), ())
    own = [(line, _own_conditions(line, question)) for line in lines]
    stepping_in = {
        name: line.rule.name for line, found in own if all(one.holds for one in found) for name in line.rule.instead_of
    }
    return tuple(
        RuleFound(rule=line.rule.name, conditions=(*found, *_replaced(line.rule.name, stepping_in)))
        for line, found in own
    )


def _own_conditions(line: Line, question: Question) -> tuple[Condition, ...]:
    person, rule = question.person, line.rule
    among = person in line.who
    glass = rule.break_glass is not None
    words = "is for break-glass only" if glass else "is not for break-glass"
    found = [Condition(text=f"{person} is {'' if among else 'not '}among those who may ask", holds=among)]
    if glass or question.break_glass:
        found.append(
            Condition(
                text=words if glass != question.break_glass else "it is break-glass",
                holds=glass is question.break_glass,
            )
        )
    found += (Condition(text=text, holds=so) for text, so in conditions(rule.when, question))
    return tuple(found)


def _replaced(rule: RuleName, stepping_in: dict[RuleName, RuleName]) -> tuple[Condition, ...]:
    if rule not in stepping_in:
        return ()
    return (Condition(text=f"{stepping_in[rule]} applies instead of it", holds=False),)


def in_short(found: Sequence[RuleFound]) -> str:
    """Why none of the rules applies, in one line: the rules that come closest first."""
    if not found:
        return "no rule is about it"
    nearest = sorted(found, key=lambda one: len(one.failed))
    said = "; ".join(f"{one.rule}: {' and '.join(one.failed)}" for one in nearest[:SHOWN_MAX])
    return said if len(nearest) <= SHOWN_MAX else f"{said}; and {len(nearest) - SHOWN_MAX} more rules"
