"""Whether a rule's conditions of time and circumstance hold, one by one and in words."""

from __future__ import annotations

from collections.abc import Iterator

from sojourn.domain.duration import format_duration

from .calendar import DAYS, CalendarWindow
from .question import Facts, Question
from .rules import When


def holds(when: When, question: Question) -> bool:
    """Whether all of them hold."""
    return (
        (not when.on_call or question.person in question.facts.on_call)
        and (not when.incident or bool(question.facts.incident))
        and (when.longer_than is None or question.duration > when.longer_than)
        and (not when.windows or any(window.contains(question.moment) for window in when.windows))
    )


def conditions(when: When, question: Question) -> Iterator[tuple[str, bool]]:
    """Each condition as a sentence of what is so or not so, and whether it holds."""
    person = question.person
    if when.windows:
        hours = " or ".join(map(say_window, when.windows))
        is_open = any(window.contains(question.moment) for window in when.windows)
        at = question.moment.strftime("%Y-%m-%d %H:%M UTC")
        yield f"{at} is {'' if is_open else 'not '}within {hours}", is_open
    if when.on_call:
        on_call = person in question.facts.on_call
        known = "" if on_call or question.facts.schedules else " by any schedule on record"
        yield f"{person} is {'' if on_call else 'not '}on call{known}", on_call
    if when.incident:
        yield _say_incident(question.facts), bool(question.facts.incident)
    if when.longer_than is not None:
        longer = question.duration > when.longer_than
        asked, limit = format_duration(question.duration), format_duration(when.longer_than)
        yield f"{asked} is {'' if longer else 'not '}longer than {limit}", longer


def _say_incident(facts: Facts) -> str:
    if facts.incident:
        return f"incident {facts.incident} is named"
    if facts.incident_named:
        return f"incident {facts.incident_named} is not on record as open"
    return "no incident is named"


def say_when(when: When) -> tuple[str, ...]:
    """The conditions in words; nothing where the rule always applies."""
    said = [" or ".join(map(say_window, when.windows))] if when.windows else []
    said += ["on call"] if when.on_call else []
    said += ["during an incident"] if when.incident else []
    if when.longer_than is not None:
        said.append(f"for more than {format_duration(when.longer_than)}")
    return tuple(said)


def say_window(window: CalendarWindow) -> str:
    """A calendar window in words, such as `mon, tue 09:00-17:00 Europe/Berlin`."""
    return f"{say_days(window.days)} {_clock(window.start)}-{_clock(window.end)} {window.zone}"


def say_days(days: tuple[int, ...]) -> str:
    """Days of the week in words; three and more in a row as a span."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    said = []
    for run in runs:
        said += [f"{DAYS[run[0]]}-{DAYS[run[-1]]}"] if len(run) > 2 else [DAYS[day] for day in run]
    return ", ".join(said)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
