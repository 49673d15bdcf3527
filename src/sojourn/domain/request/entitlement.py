"""Why the word of somebody does not count for a request, in words: each reason that there is, the plainest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import RequestSubmitted
from sojourn.domain.identifiers import PersonId, RuleName
from sojourn.domain.people import PersonKind
from sojourn.domain.policy import ApproverGroup, Question, Terms, counts, explain
from sojourn.errors import Code, Refusal

from .content import question

NOBODY = "nobody at present"


def not_entitled(
    person: PersonId, asked: RequestSubmitted, groups: tuple[ApproverGroup, ...], adopted: Adopted, now: datetime
) -> Refusal:
    """The refusal for a word that does not count. `groups` are those who might decide when it was asked."""
    terms = adopted.judge(question(asked, now))
    present = () if isinstance(terms, Refusal) else terms.approvers
    decide = [one for one in asked.approvers if one in present and adopted.catalogue.person(one) is not None]
    return Refusal(
        Code.APPROVAL_NOT_ENTITLED,
        {
            "person": person,
            "rule": ", ".join(asked.rules),
            "why": _why(person, asked, groups, terms, adopted, now),
            "approvers": ", ".join(decide) or NOBODY,
        },
    )


def _why(
    person: PersonId,
    asked: RequestSubmitted,
    groups: tuple[ApproverGroup, ...],
    terms: Terms | Refusal,
    adopted: Adopted,
    now: datetime,
) -> str:
    known = adopted.catalogue.person(person)
    if known is None:
        return "they have left" if person in adopted.standing.left else "there is nobody of that name"
    if known.kind is not PersonKind.HUMAN:
        return f"a program ({known.kind}) decides on nothing"
    if isinstance(terms, Refusal):
        return f"by what is in force and known now it could not even be asked. {terms.sentence.rstrip('.')}"
    asking = question(asked, now)
    out = adopted.why_excluded(asking).get(person)
    if out is not None:
        return out
    if not counts(groups, person):
        if counts(terms.groups, person):
            return "they were not among those who might decide when it was asked, and no later change adds anybody"
        return f"{_listed(asked.rules)} does not name them, and nobody who is away and might decide has named them"
    lost = "; ".join(_lost(asked, terms, asking, adopted))
    return f"they might decide when it was asked, and by what is in force and known now they may not: {lost}"


def _lost(asked: RequestSubmitted, terms: Terms, asking: Question, adopted: Adopted) -> Iterator[str]:
    """What has become of each rule under which they might decide, and which rules stand in their place."""
    found = {one.rule: one.failed for one in explain(adopted.policy, asking)}
    for rule in asked.rules:
        if rule not in found:
            yield f"rule {rule} is gone or is about something else by now"
        elif found[rule]:
            yield f"rule {rule} does not apply any more ({' and '.join(found[rule])})"
        else:
            yield f"rule {rule} names other people by now"
    others = [rule for rule in terms.rules if rule not in asked.rules]
    if others:
        yield f"{_listed(others)} applies now"


def _listed(rules: Iterable[RuleName]) -> str:
    return f"rule {', '.join(rules)}"
