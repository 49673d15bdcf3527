"""Whether a request gives what its terms ask for."""

from __future__ import annotations

from datetime import timedelta

from sojourn.errors import Code, Refusal

from .question import Facts, Question, Ticket
from .terms import Requirements, Terms, TicketRequirement, missing_in_all

DURATION_MIN = timedelta(seconds=1)


def lacking(terms: Terms, question: Question, *, reason_given: bool = True) -> Refusal | None:
    """The first thing that the terms ask for and the question does not have, or None.

    `reason_given` says whether some text was given: the policy never sees it.
    """
    refusal = too_long(terms, question.duration)
    if refusal is None and terms.requirements.reason and not reason_given:
        refusal = Refusal(Code.REQUEST_REASON_MISSING, {"rule": _named(terms)})
    return refusal or _not_given(terms, question)


def too_long(terms: Terms, duration: timedelta) -> Refusal | None:
    """The refusal for a duration that is none, or longer than the terms allow."""
    if duration < DURATION_MIN or duration % DURATION_MIN:
        return Refusal(Code.REQUEST_DURATION_INVALID, {"asked": str(duration)})
    if duration > terms.longest:
        return Refusal(
            Code.REQUEST_DURATION_TOO_LONG,
            {"asked": str(duration), "allowed": str(terms.longest), "rule": _named(terms)},
        )
    return None


def undecidable(terms: Terms) -> Refusal | None:
    """The refusal for terms that not even all approvers together could meet."""
    if not missing_in_all(terms.groups, terms.approvers):
        return None
    return Refusal(
        Code.POLICY_NO_APPROVER,
        {"rule": _named(terms), "needed": str(terms.approvals), "available": str(len(terms.approvers))},
    )


def _not_given(terms: Terms, question: Question) -> Refusal | None:
    asked, facts = terms.requirements, question.facts
    if asked.reason_codes is not None and facts.reason_code not in asked.reason_codes:
        return _refusal(terms, "reason code", facts.reason_code, asked.reason_codes)
    for ticket in asked.tickets:
        if not fits(ticket, facts.ticket):
            return _refusal(terms, "ticket", say_given_ticket(facts), (say_ticket(ticket),))
    if asked.activities is not None:
        if not facts.activities:
            return _refusal(terms, "declared activity", "", asked.activities)
        for activity in facts.activities:
            if activity not in asked.activities:
                return _refusal(terms, "declared activity", activity, asked.activities)
    if asked.deployment and facts.deployment_unknown:
        details = {"rule": _named(terms), "what": f"who deployed what runs on {question.target}"}
        return Refusal(Code.POLICY_FACT_MISSING, details)
    return None


def say_given_ticket(facts: Facts) -> str:
    """The ticket that is given, in words, with what the record knows of it; empty for none."""
    if facts.ticket is not None:
        return f"{facts.ticket.kind} {facts.ticket.id}, {facts.ticket.state}"
    return f"{facts.ticket_named}, of which nothing is on record" if facts.ticket_named else ""


def fits(required: TicketRequirement, ticket: Ticket | None) -> bool:
    """Whether the ticket is of a kind and in a state that is asked for."""
    return (
        ticket is not None
        and (not required.kinds or ticket.kind in required.kinds)
        and (not required.states or ticket.state in required.states)
    )


def say_ticket(required: TicketRequirement) -> str:
    """The requirement in words."""
    kinds = f"of kind {' or '.join(required.kinds)}" if required.kinds else "of any kind"
    return f"{kinds} in state {' or '.join(required.states)}" if required.states else kinds


def say_requirements(asked: Requirements) -> tuple[str, ...]:
    """Everything that has to be given, in words."""
    said = ["a reason"] if asked.reason else []
    if asked.reason_codes is not None:
        said.append(f"a reason code ({', '.join(asked.reason_codes)})")
    said += (f"a ticket {say_ticket(ticket)}" for ticket in asked.tickets)
    if asked.activities is not None:
        said.append(f"declared activities ({', '.join(asked.activities)})")
    said += ["a deployment on record"] if asked.deployment else []
    return tuple(said)


def _named(terms: Terms) -> str:
    return ", ".join(terms.rules)


def _refusal(terms: Terms, what: str, given: str, allowed: tuple[str, ...]) -> Refusal:
    return Refusal(
        Code.REQUEST_REQUIREMENT_MISSING,
        {
            "rule": _named(terms),
            "what": what,
            "given": given or "nothing",
            "expected": ", ".join(allowed) or "nothing that all rules allow",
        },
    )
