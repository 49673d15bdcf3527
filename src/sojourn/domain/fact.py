"""Facts: what the policy may ask about the world, as somebody with the right to do so has told it.

- A fact holds until a moment that was told with it, a month ahead at most. After that it is as if nobody had said it.
- What is not on record is not so: a condition that needs it fails, and says what is missing.
- Who may tell which kind of fact stands in people.yaml (`tells`).
- Nobody's own access rests on what they told themselves, by whatever account.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sojourn.errors import Code, Refusal

from .catalogue import Catalogue
from .events import FactTold, FactWithdrawn, Shift
from .identifiers import PersonId, TargetName
from .people import FactKind
from .policy import Facts, Ticket

LIFE_MAX = timedelta(days=31)
SHIFTS_MAX = 200
PEOPLE_MAX = 100
ORIGIN_LENGTH_MAX = 200
OPEN = "open"
"""The state of an incident that is being worked on; every other state is that of one that is over."""

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,63}")
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Somebody tells a fact. The fields are those of `FactTold`."""

    fact: FactKind
    subject: str
    person: PersonId
    until: datetime
    origin: str
    source: str
    state: str = ""
    sort: str = ""
    people: tuple[PersonId, ...] = ()
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsay:
    """Somebody says that a fact is no longer so."""

    fact: FactKind
    subject: str
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A fact on record, and the place of its entry in the ledger."""

    fact: FactTold
    seq: int


def decide(catalogue: Catalogue, command: Tell | Unsay, now: datetime) -> FactTold | FactWithdrawn | Refusal:
    """What goes on record, or why it does not."""
    person = catalogue.person(command.person)
    if person is None:
        return Refusal(Code.PERSON_UNKNOWN, {"person": command.person})
    if command.fact not in person.tells:
        return Refusal(Code.FACT_NOT_ENTITLED, {"person": person.id, "fact": command.fact})
    if not is_subject(command.subject):
        return _invalid("A subject is letters, digits and . _ : + -, 64 at most")
    if isinstance(command, Unsay):
        return FactWithdrawn(fact=command.fact, subject=command.subject, told_by=person.id, source=command.source)
    problem = _problem(catalogue, command, now)
    if problem:
        return _invalid(problem)
    for one in (*command.people, *(shift.person for shift in command.shifts)):
        if catalogue.person(one) is None:
            return Refusal(Code.PERSON_UNKNOWN, {"person": one})
    return FactTold(
        fact=command.fact,
        subject=command.subject,
        told_by=person.id,
        until=command.until,
        origin=command.origin,
        source=command.source,
        state=command.state,
        sort=command.sort,
        people=command.people,
        shifts=tuple(sorted(command.shifts, key=lambda one: (one.window.start, one.person))),
    )


def is_subject(text: str) -> bool:
    """Whether something could be told about a thing of that name."""
    return _SUBJECT.fullmatch(text) is not None


def _invalid(problem: str) -> Refusal:
    return Refusal(Code.FACT_INVALID, {"problem": problem})


def _problem(catalogue: Catalogue, command: Tell, now: datetime) -> str:
    """What is wrong with it, as a sentence without its full stop; empty for nothing."""
    if not now < command.until <= now + LIFE_MAX:
        return f"It has to hold until a moment to come, {LIFE_MAX.days} days ahead at most"
    if not 0 < len(command.origin) <= ORIGIN_LENGTH_MAX:
        return f"Say where it comes from, in 1 to {ORIGIN_LENGTH_MAX} characters"
    if len(command.shifts) > SHIFTS_MAX or len(command.people) > PEOPLE_MAX:
        return f"At most {SHIFTS_MAX} shifts and {PEOPLE_MAX} people fit into one fact"
    given = (bool(command.state), bool(command.sort), bool(command.people), bool(command.shifts))
    match command.fact:
        case FactKind.ON_CALL:
            return "" if given == (False, False, False, True) else "A schedule has shifts, and nothing else"
        case FactKind.DEPLOYMENT:
            if catalogue.target(TargetName(command.subject)) is None:
                return f"There is no target {command.subject}"
            return "" if given == (False, False, True, False) else "A deployment has people, and nothing else"
        case FactKind.INCIDENT:
            alone = given == (True, False, False, False) and _is_word(command.state)
            return "" if alone else "An incident has a state in lower case, and nothing else"
        case FactKind.TICKET:
            whole = not command.shifts and _is_word(command.state) and _is_word(command.sort)
            return "" if whole else "A ticket has a kind and a state in lower case, and may have people"


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None


def assemble(
    declared: Facts, told: Iterable[Told], *, accounts: Collection[PersonId], target: TargetName, now: datetime
) -> Facts:
    """What is known at this moment of what the requester declared, and of the target.

    `accounts` are all accounts of the requester: what these told is not counted. `told` may hold more than is of use.
    """
    live = [one for one in told if now < one.fact.until and one.fact.told_by not in accounts]
    found = {(one.fact.fact, one.fact.subject): one.fact for one in live}
    schedules = [one for (kind, _), one in sorted(found.items()) if kind is FactKind.ON_CALL]
    incident = found.get((FactKind.INCIDENT, declared.incident_named))
    ticket = found.get((FactKind.TICKET, declared.ticket_named))
    deployment = found.get((FactKind.DEPLOYMENT, target))
    on_call = {shift.person for one in schedules for shift in one.shifts if shift.window.contains(now)}
    used = {one for one in (*schedules, incident, ticket, deployment) if one is not None}
    return replace(
        declared,
        incident=incident.subject if incident is not None and incident.state == OPEN else "",
        ticket=None if ticket is None else Ticket(id=ticket.subject, kind=ticket.sort, state=ticket.state),
        on_call=tuple(sorted(on_call)),
        schedules=tuple(one.subject for one in schedules),
        deployed=() if deployment is None else deployment.people,
        deployment_unknown=deployment is None,
        executing=() if ticket is None else ticket.people,
        entries=tuple(sorted(one.seq for one in live if one.fact in used)),
    )
