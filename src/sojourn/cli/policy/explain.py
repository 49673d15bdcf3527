"""sojourn policy explain: why a question is answered as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sojourn.app.ambient import SystemClock
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.codes import Exit
from sojourn.domain.duration import format_duration, parse_duration
from sojourn.domain.identifiers import PersonId, RoleName, TargetName
from sojourn.domain.policy import Facts, Question, Terms, Ticket, judge, lacking, undecidable
from sojourn.domain.policy import explain as rules_about
from sojourn.domain.policy.requirements import say_requirements
from sojourn.errors import Code, Refusal, SojournError

from .source import Source


def explain(
    person: str,
    target: str,
    role: str,
    *,
    for_: str = "1s",
    at: str = "",
    reason_code: str = "",
    ticket: str = "",
    activity: list[str] | None = None,
    incident: str = "",
    on_call: bool = False,
    break_glass: bool = False,
    source: Source | None = None,
    common: Common | None = None,
) -> int:
    """Tell every rule about a role on a target, each condition of it, and which one fails; and the terms if any applies.

    A refusal tells the same. Exits with 3 where the answer is no.

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
    reason_code
        The reason code that is given.
    ticket
        The ticket that is given, as KIND/ID/STATE.
    activity
        An activity that is declared; may be given several times.
    incident
        The incident that is named.
    on_call
        They are on call.
    break_glass
        It is break-glass.
    """
    source, common = source or Source(), common or Common()
    catalogue, said = source.read(common)
    policy = catalogue.policy()
    facts = Facts(
        reason_code=reason_code,
        ticket=_ticket(ticket),
        activities=tuple(activity or ()),
        incident=incident,
        on_call=(PersonId(person),) if on_call else (),
    )
    question = Question(
        person=PersonId(person),
        target=TargetName(target),
        role=RoleName(role),
        duration=_duration(for_),
        moment=_moment(at),
        facts=facts,
        break_glass=break_glass,
    )
    terms = judge(policy, question)
    answer = terms if isinstance(terms, Refusal) else lacking(terms, question) or undecidable(terms) or terms
    found = rules_about(policy, question)
    if common.json:
        rules = [
            {
                "rule": one.rule,
                "applies": one.applies,
                "conditions": [{"text": each.text, "holds": each.holds} for each in one.conditions],
            }
            for one in found
        ]
        print_json({"configuration": said, "rules": rules, **_plain(answer)})
    else:
        for one in found:
            print_line(f"{one.rule}: {'applies' if one.applies else 'does not apply'}")
            for each in one.conditions:
                print_line(f"  {'yes' if each.holds else 'no '}  {each.text}")
        _print(answer)
    return Exit.REFUSED if isinstance(answer, Refusal) else Exit.DONE


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


def _print(answer: Terms | Refusal) -> None:
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
    except ValueError:
        found = datetime.min
    if found.utcoffset() is None:
        raise SojournError(
            Code.INPUT_INVALID, problem=f"{text[:40]!a} is no moment", expected="one such as 2026-03-02T10:00:00+01:00"
        )
    return found.astimezone(UTC)


def _ticket(text: str) -> Ticket | None:
    if not text:
        return None
    parts = text.split("/")
    if len(parts) != 3 or not all(parts):
        raise SojournError(Code.INPUT_INVALID, problem=f"{text[:40]!a} is no ticket", expected="KIND/ID/STATE")
    return Ticket(kind=parts[0], id=parts[1], state=parts[2])
