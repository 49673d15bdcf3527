"""Access events: the population, is it complete, is it right, what is out of order, and a sample of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from sojourn.evidence.attributes import AttributeTest
from sojourn.evidence.files.sheet import Sheet

from .accuracy import accuracy
from .columns import Cell, sheet_of
from .completeness import completeness
from .context import Context
from .exceptions import exceptions, unmatched
from .population import CELLS, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A test of an event."""

    event: Event
    test: AttributeTest


TESTED: tuple[Cell[Tested], ...] = (
    Cell("number", lambda one: one.event.access.number, "Number of the request."),
    Cell("request", lambda one: one.event.access.request, "The access event."),
    Cell("requester", lambda one: one.event.access.asked.event.person, "Who asked."),
    Cell("target", lambda one: one.event.access.asked.event.target, "For access to what."),
    Cell("test", lambda one: one.test.letter, "Letter of the test."),
    Cell("title", lambda one: one.test.title, "What it asks."),
    Cell("answer", lambda one: one.test.answer.value, "pass, fail or not applicable."),
    Cell("reason", lambda one: one.test.reason, "Why, in words."),
)


def sheets(context: Context) -> Iterator[Sheet]:
    """All sheets of the report."""
    yield sheet_of("Population", "Every access event of the period, one row each.", CELLS, context.worked_out())
    yield sheet_of("Tests", "Every test of every event, with its reason.", TESTED, _tests(context.events))
    yield completeness(context)
    yield accuracy(context)
    yield unmatched(context)
    yield exceptions(context)
    if context.parameters.sample:
        context.drawn = sample(context.events, count=context.parameters.sample, seed=context.parameters.seed)
        purpose = "Drawn by the seed in the parameters; anybody can draw it again."
        yield sheet_of("Sample", purpose, CELLS, context.drawn)


def _tests(events: list[Event]) -> Iterator[Tested]:
    for event in events:
        for test in event.tests:
            yield Tested(event=event, test=test)


def sample(events: list[Event], *, count: int, seed: str) -> list[Event]:
    """`count` events: those whose SHA-256 over seed, a line feed and request id is smallest, in that order.

    So nobody who cannot choose the ids can choose the sample, and adding an event moves no other in or out of order.
    """
    return sorted(events, key=lambda event: hashlib.sha256(f"{seed}\n{event.access.request}".encode()).digest())[:count]
