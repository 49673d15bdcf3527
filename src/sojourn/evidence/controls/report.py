"""The report of controls: wording, design and operation of each, with its last negative test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sojourn.domain.events import ControlsProved, ProbeTried
from sojourn.domain.history import Recorded
from sojourn.evidence.files.sheet import Sheet
from sojourn.evidence.reports.columns import Cell, sheet_of
from sojourn.evidence.reports.context import Context

from .control import Control, InForce, Line, Measure
from .register import CONTROLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The last time that a probe of a control was tried: the entry that says so, and what came of it."""

    recorded: Recorded
    probe: ProbeTried


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A control with all that is told of it."""

    control: Control
    wording: tuple[str, ...]
    design: tuple[Line, ...]
    operation: tuple[Measure, ...]
    tried: tuple[Tried, ...]

    @property
    def exceptions(self) -> int:
        """How many exceptions its operation shows."""
        return sum(one.exceptions or 0 for one in self.operation)


def in_force(context: Context) -> InForce | None:
    """What was in force as of the report, or None before the first configuration."""
    version = context.books.configurations.in_force(context.parameters.as_of)
    adopted = None if version is None else context.books.configurations.under(version, context.books.standing)
    if adopted is None:
        return None
    return InForce(
        catalogue=adopted.catalogue, policy=adopted.policy, version=adopted.version, settings=context.settings
    )


def shown(context: Context) -> Iterator[Shown]:
    """Every control, as of the report."""
    now = in_force(context)
    last: dict[str, Tried] = {}
    for one in context.books.others:
        if isinstance(one.event, ControlsProved):
            last |= {probe.name: Tried(recorded=one, probe=probe) for probe in one.event.probes}
    for control in CONTROLS:
        yield Shown(
            control=control,
            wording=() if now is None else tuple(control.wording(now)),
            design=() if now is None else tuple(control.design(now)),
            operation=tuple(control.operation(context)),
            tried=tuple(last[name] for name in control.probes if name in last),
        )


def sheets(context: Context) -> Iterator[Sheet]:
    """All sheets of the report."""
    told = list(shown(context))
    version = in_force(context)
    number = 0 if version is None else version.version
    yield sheet_of("Controls", "Each control in the words of the policy in force.", _controls(number), told)
    design = ((one.control.name, line) for one in told for line in one.design)
    yield sheet_of("Design", "What each control rests on.", _DESIGN, design)
    operation = ((one.control.name, measure) for one in told for measure in one.operation)
    yield sheet_of("Operation", "What is on record of each in the period.", _OPERATION, operation)
    tried = ((one.control.name, probe) for one in told for probe in one.tried)
    yield sheet_of("Negative tests", "The last time that each was tried to be broken.", _TRIED, tried)


def _controls(version: int) -> tuple[Cell[Shown], ...]:
    return (
        Cell("control", lambda one: one.control.name, "Its name."),
        Cell("title", lambda one: one.control.title, "What it is for."),
        Cell("wording", lambda one: "\n".join(one.wording), "What it promises, read from the policy in force."),
        Cell("policy_version", lambda _: version, "Version of the configuration that the wording was read from."),
        Cell("exceptions", lambda one: one.exceptions, "Exceptions of the period, of all its measures.", total=True),
        Cell(
            "untried",
            lambda one: ", ".join(sorted(set(one.control.probes) - {tried.probe.name for tried in one.tried})),
            "Negative tests that were never run.",
        ),
    )


_DESIGN: tuple[Cell[tuple[str, Line]], ...] = (
    Cell("control", lambda one: one[0], "Name of the control."),
    Cell("source", lambda one: one[1].source, "A rule, a setting, or `always`: no configuration can change it."),
    Cell("text", lambda one: one[1].text, "What stands there."),
)
_OPERATION: tuple[Cell[tuple[str, Measure]], ...] = (
    Cell("control", lambda one: one[0], "Name of the control."),
    Cell("measure", lambda one: one[1].what, "What was counted."),
    Cell("population", lambda one: one[1].population, "How many there were."),
    Cell("exceptions", lambda one: one[1].exceptions, "How many of these were exceptions; empty where none can be."),
    Cell("where", lambda one: one[1].where, "The report that lists them, and its test, sheet or column."),
)
_TRIED: tuple[Cell[tuple[str, Tried]], ...] = (
    Cell("control", lambda one: one[0], "Name of the control."),
    Cell("probe", lambda one: one[1].probe.name, "What was tried."),
    Cell("passed", lambda one: one[1].probe.passed, "Whether it was prevented or seen."),
    Cell("found", lambda one: one[1].probe.found, "What came of it."),
    Cell("entry", lambda one: one[1].recorded.seq, "Place of the result in the record."),
    Cell("at", lambda one: one[1].recorded.at, "When (UTC)."),
)
