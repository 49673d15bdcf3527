"""sojourn policy explain: why a question is answered as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.ambient import SystemClock
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.codes import Exit
from sojourn.domain.catalogue import Adopted
from sojourn.domain.duration import format_duration, parse_duration
from sojourn.domain.identifiers import PersonId, RoleName, TargetName
from sojourn.domain.policy import Facts, Question, RuleFound, Terms, Ticket, applying_lines, lacking, undecidable
from sojourn.domain.policy import explain as rules_about
from sojourn.domain.policy.requirements import say_requirements
from sojourn.domain.request.submitting import blocked
from sojourn.errors import Code, Refusal, SojournError

from .source import Source


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Given:
    """What is given with the question, and what is known at its moment."""

    reason_code: Annotated[str, Parameter(help="The reason code that is given.")] = ""
    ticket: Annotated[str, Parameter(help="The ticket that is given, as KIND/ID/STATE.")] = ""
    activity: Annotated[tuple[str, ...], Parameter(help="An activity that is declared; may be given again.")] = ()
    incident: Annotated[str, Parameter(help="The incident that is named.")] = ""
    on_call: Annotated[bool, Parameter(negative="", help="They are on call.")] = False
    executing: Annotated[tuple[str, ...], Parameter(help="Somebody who is to carry it out; may be given again.")] = ()
    deployed: Annotated[tuple[str, ...], Parameter(help="Somebody who deployed what runs there; the same.")] = ()
    certified: Annotated[tuple[str, ...], Parameter(help="Somebody who certified it for them; the same.")] = ()
    approved: Annotated[tuple[str, ...], Parameter(help="Somebody whose request they lately approved; the same.")] = ()
    break_glass: Annotated[bool, Parameter(negative="", help="It is break-glass.")] = False

    def facts(self, person: PersonId) -> Facts:
        """The same as the policy is told it. Raises SojournError `input.invalid` for what is no ticket."""
        return Facts(
            reason_code=self.reason_code,
            ticket=_ticket(self.ticket),
            activities=self.activity,
            incident=self.incident,
            on_call=(person,) if self.on_call else (),
            executing=tuple(map(PersonId, self.executing)),
            deployed=tuple(map(PersonId, self.deployed)),
            certified=tuple(map(PersonId, self.certified)),
            approved_by_requester=tuple(map(PersonId, self.approved)),
        )


def explain(
    person: str,
    target: str,
    role: str,
    *,
    for_: str = "1s",
    at: str = "",
    given: Given | None = None,
    source: Source | None = None,
    common: Common | None = None,
) -> int:
    """Tell every rule about a role on a target, each of its conditions, and which fails; and the terms, if any applies.

    A refusal tells the same. Of whom the rules name and who may not decide all the same, it tells why. Exits with 3
    where the answer is no.

    Example: sojourn policy explain alice shop read --for 2h --at 2026-03-07T23:00:00+01:00 --files ./config

    Parameters
    ----------
    person
        Who asks.
    target
        On which target.
    role
        For which role.
    for_
        For how long.
    at
        When, with an offset from UTC (default: now).
    """
    given, source, common = given or Given(), source or Source(), common or Common()
    read = source.read(common)
    question = Question(
        person=PersonId(person),
        target=TargetName(target),
        role=RoleName(role),
        duration=_duration(for_),
        moment=_moment(at),
        facts=given.facts(PersonId(person)),
        break_glass=given.break_glass,
    )
    answer = _answer(read.adopted, question)
    found = rules_about(read.adopted.policy, question)
    left_out = _left_out(read.adopted, question)
    if common.json:
        rules = [_rule(one) for one in found]
        print_json({"configuration": read.said, "rules": rules, "may_not_decide": left_out, **_plain(answer)})
    else:
        _print(found, answer, left_out)
    return Exit.REFUSED if isinstance(answer, Refusal) else Exit.DONE


def _answer(adopted: Adopted, question: Question) -> Terms | Refusal:
    """What a request would be answered: by the rules, and by what the record says of the person."""
    terms = adopted.judge(question)
    if isinstance(terms, Refusal):
        return terms
    refusal = lacking(terms, question) or undecidable(terms)
    if refusal is None and not question.break_glass:
        refusal = blocked(adopted, question.person)
    return refusal or terms


def _left_out(adopted: Adopted, question: Question) -> dict[str, str]:
    """Whom an applying rule names and who may not decide all the same, with why."""
    why = adopted.why_excluded(question)
    named = {one for line in applying_lines(adopted.policy, question) for group in line.groups for one in group.people}
    return {person: why[person] for person in sorted(named & why.keys())}


def _rule(found: RuleFound) -> dict[str, object]:
    conditions = [{"text": each.text, "holds": each.holds} for each in found.conditions]
    return {"rule": found.rule, "applies": found.applies, "conditions": conditions}


def _plain(answer: Terms | Refusal) -> dict[str, object]:
    if isinstance(answer, Refusal):
        return {"allowed": False, "code": answer.code, "message": answer.sentence, "next_step": answer.next_step}
    return {
        "allowed": True,
        "by": answer.rules,
        "longest": format_duration(answer.longest),
        "groups": [{"name": one.name, "people": one.people, "needed": one.needed} for one in answer.groups],
        "automatic": answer.automatic,
        "given": say_requirements(answer.requirements),
    }


def _print(found: Sequence[RuleFound], answer: Terms | Refusal, left_out: Mapping[str, str]) -> None:
    for rule in found:
        print_line(f"{rule.rule}: {'applies' if rule.applies else 'does not apply'}")
        for each in rule.conditions:
            print_line(f"  {'yes' if each.holds else 'no '}  {each.text}")
    for person, why in left_out.items():
        print_line(f"{person} may not decide: {why}.")
    if isinstance(answer, Refusal):
        print_line(f"Refused: {answer.sentence} {answer.next_step}")
        return
    print_line(f"Allowed by {', '.join(answer.rules)}, up to {format_duration(answer.longest)}.")
    for one in answer.groups:
        print_line(f"  {one.name}: {one.needed} of {', '.join(one.people)}")
    if answer.automatic:
        print_line(f"  nobody decides: {answer.automatic}")
    for given in say_requirements(answer.requirements):
        print_line(f"  has to be given: {given}")


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise SojournError(Code.REQUEST_DURATION_INVALID, asked=text[:100]) from error


def _moment(text: str) -> datetime:
    if not text:
        return SystemClock().now()
    try:
        found = datetime.fromisoformat(text)
        if found.utcoffset() is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise SojournError(
        Code.INPUT_INVALID, problem=f"{text[:40]!a} is no moment", expected="one such as 2026-03-02T10:00:00+01:00"
    )


def _ticket(text: str) -> Ticket | None:
    if not text:
        return None
    parts = text.split("/")
    if len(parts) != 3 or not all(parts):
        raise SojournError(Code.INPUT_INVALID, problem=f"{text[:40]!a} is no ticket", expected="KIND/ID/STATE")
    return Ticket(kind=parts[0], id=parts[1], state=parts[2])
