"""Samples: what an auditor drew, and what they want to know about it.

- A sample is drawn by an auditor, of this house or let in from outside, by a seed that is on record. It never changes.
- An auditor asks somebody known about one item of it; whoever is asked answers, or an administrator for them.
- A question is answered once. Who asked does not answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from sojourn.errors import Code, Refusal

from .catalogue import Adopted
from .events import Event, InformationGiven, InformationRequested, SampleDrawn
from .identifiers import PersonId, RequestId, SampleId
from .sealed import Sealed

ITEMS_MAX = 500
QUESTIONS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question about an item, and its answer if there is one."""

    asked: InformationRequested
    given: InformationGiven | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A sample and the questions about it, by their numbers."""

    drawn: SampleDrawn
    questions: Mapping[int, Asked] = field(default_factory=dict)


Samples = Mapping[SampleId, Sample]
"""Every sample there ever was, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Ask `of` somebody something about an item."""

    person: PersonId
    request: RequestId
    of: PersonId
    text: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer the question of that number."""

    person: PersonId
    number: int
    text: Sealed
    source: str


Command = Ask | Answer


def evolve(state: Samples, event: Event) -> Samples:
    """The samples after `event`."""
    match event:
        case SampleDrawn():
            return {**state, event.sample: Sample(drawn=event)}
        case InformationRequested():
            asked = Asked(asked=event)
        case InformationGiven():
            asked = replace(state[event.sample].questions[event.number], given=event)
        case _:
            return state
    found = state[event.sample]
    return {**state, event.sample: replace(found, questions={**found.questions, event.number: asked})}


def fold(events: Iterable[Event]) -> Samples:
    """The samples that the stream of samples tells of."""
    state: Samples = {}
    for event in events:
        state = evolve(state, event)
    return state


def decide(state: Sample, command: Command, adopted: Adopted, now: datetime) -> Event | Refusal:
    """The event, or why there is none."""
    match command:
        case Ask():
            return _ask(state, command, adopted, now)
        case Answer():
            return _answer(state, command, adopted)
        case _:
            assert_never(command)


def _ask(state: Sample, command: Ask, adopted: Adopted, now: datetime) -> Event | Refusal:
    name, person = state.drawn.sample, adopted.catalogue.person(command.person)
    own = person is not None and (person.auditor or command.person == state.drawn.person)
    if person is None or not own or not person.may_audit(now):
        return Refusal(
            Code.PERMISSION_DENIED, {"person": command.person, "action": "ask about a sample", "who": "an auditor"}
        )
    if command.request not in state.drawn.requests:
        return Refusal(Code.SAMPLE_ITEM_UNKNOWN, {"sample": name, "request": command.request[:100]})
    if adopted.catalogue.person(command.of) is None:
        return Refusal(Code.PERSON_UNKNOWN, {"person": command.of})
    if len(state.questions) >= QUESTIONS_MAX:
        return Refusal(Code.SAMPLE_FULL, {"sample": name, "limit": str(QUESTIONS_MAX)})
    return InformationRequested(
        sample=name,
        number=len(state.questions) + 1,
        request=command.request,
        person=command.person,
        of=command.of,
        text=command.text,
        source=command.source,
    )


def _answer(state: Sample, command: Answer, adopted: Adopted) -> Event | Refusal:
    name, found = state.drawn.sample, state.questions.get(command.number)
    if found is None:
        return Refusal(Code.SAMPLE_QUESTION_UNKNOWN, {"sample": name, "number": str(command.number)})
    person = adopted.catalogue.person(command.person)
    own = adopted.policy.accounts.get(command.person, frozenset((command.person,)))
    entitled = person is not None and (command.person == found.asked.of or person.administrator)
    if not entitled or found.asked.person in own:
        who = f"{found.asked.of}, who was asked, or an administrator"
        return Refusal(Code.PERMISSION_DENIED, {"person": command.person, "action": "answer this question", "who": who})
    if found.given is not None:
        details = {"sample": name, "number": str(command.number), "person": found.given.person}
        return Refusal(Code.SAMPLE_ANSWERED, details)
    return InformationGiven(
        sample=name, number=command.number, person=command.person, text=command.text, source=command.source
    )
