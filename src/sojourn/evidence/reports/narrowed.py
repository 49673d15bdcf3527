"""Parts of the population that are asked for by themselves. Their rows are the population's own rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from sojourn.domain.people import Person, PersonKind
from sojourn.evidence.attributes import Answer
from sojourn.evidence.attributes.using import REMOVAL_ALLOWED
from sojourn.evidence.files.sheet import Sheet

from .columns import Cell, sheet_of
from .completeness import completeness
from .context import Context
from .population import CELLS, Event


def emergencies(context: Context) -> Iterator[Sheet]:
    """Access without a decision beforehand."""
    yield from _part(context, "Emergencies", lambda event: event.access.kind == "emergency", _EMERGENCY)


def programs(context: Context) -> Iterator[Sheet]:
    """Access of services and AI agents."""

    def person(event: Event) -> Person | None:
        asked = event.access.asked.event
        adopted = context.books.configurations.under(asked.configuration_version)
        return None if adopted is None else adopted.catalogue.person(asked.person)

    def is_program(event: Event) -> bool:
        found = person(event)
        return found is not None and found.kind is not PersonKind.HUMAN

    def owner(event: Event) -> str | None:
        found = person(event)
        return None if found is None else found.owner

    def kind(event: Event) -> str | None:
        found = person(event)
        return None if found is None else found.kind.value

    more = (
        Cell("account_kind", kind, "service or agent, by the configuration that it asked under."),
        Cell("owner", owner, "The human being who answers for it."),
    )
    yield from _part(context, "Programs", is_program, more)


def late(context: Context) -> Iterator[Sheet]:
    """Removals that failed at first, came late or are still to come."""

    def is_late(event: Event) -> bool:
        given = event.access.given
        return given is not None and (given.removal_failures > 0 or event.test("H").answer is Answer.FAIL)

    yield from _part(context, "Late", is_late, _LATE)


def _part(
    context: Context, name: str, wanted: Callable[[Event], bool], more: tuple[Cell[Event], ...]
) -> Iterator[Sheet]:
    rows = (event for event in context.events if wanted(event))
    yield sheet_of(name, f"{context.parameters.title}: the events of the population that are.", (*more, *CELLS), rows)
    yield completeness(context)


def _told(event: Event) -> str | None:
    used = event.access.break_glass
    return None if used is None else ", ".join(used.event.told)


def _latency(event: Event) -> int | None:
    given = event.access.given
    if given is None or given.removed is None:
        return None
    over = given.window.end if given.ended is None else min(given.ended.at, given.window.end)
    return (given.removed.at - over) // timedelta(milliseconds=1)


_EMERGENCY: tuple[Cell[Event], ...] = (Cell("told", _told, "Who heard of it in the same moment."),)
_LATE: tuple[Cell[Event], ...] = (
    Cell(
        "removed_after_ms",
        _latency,
        f"From its end to its absence; {REMOVAL_ALLOWED // timedelta(seconds=1)} s are allowed.",
    ),
    Cell(
        "used_outside_window",
        lambda event: 0 if event.access.given is None else event.access.given.outside.count,
        "Look-back: sessions and actions on record before its start or after its end; 0 if it was not used then.",
        total=True,
    ),
    Cell(
        "last_problem",
        lambda event: event.access.given.last_problem if event.access.given else None,
        "What the target said last.",
    ),
)
