"""Who can get what, and who decides on it, as of the report: worked out from the policy that was in force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import AbsenceDeclared
from sojourn.domain.policy.ways import Way
from sojourn.domain.reach import who_can
from sojourn.evidence.files.sheet import Sheet

from .columns import Cell, sheet_of
from .context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """A way for a person to get a role on a target. `version` is the configuration's."""

    person: str
    target: str
    role: str
    way: Way
    version: int


def sheets(context: Context) -> Iterator[Sheet]:
    """Everybody who could get something."""
    yield sheet_of("Eligible", "One row for each way to a role on a target.", _ELIGIBLE, _eligible(context))


def _eligible(context: Context) -> Iterator[Eligible]:
    adopted = in_force(context)
    if adopted is None:
        return
    for target in adopted.catalogue.targets:
        for access in who_can(adopted, target.name):
            for way in access.ways:
                yield Eligible(
                    person=access.person, target=access.target, role=access.role, way=way, version=adopted.version
                )


def in_force(context: Context) -> Adopted | None:
    """The configuration in force at the moment of the report, under the standing of people then."""
    books = context.books
    version = books.configurations.in_force(context.parameters.as_of)
    return None if version is None else books.configurations.under(version, books.standing)


_ELIGIBLE: tuple[Cell[Eligible], ...] = (
    Cell("person", lambda one: one.person, "Who could get it."),
    Cell("target", lambda one: one.target, "On which production system."),
    Cell("role", lambda one: one.role, "Which role."),
    Cell("rule", lambda one: one.way.rule, "By which rule of the policy."),
    Cell("longest_s", lambda one: round(one.way.longest.total_seconds()), "For so many seconds at most."),
    Cell("conditions", lambda one: "; ".join(one.way.conditions), "When."),
    Cell("given", lambda one: "; ".join(one.way.given), "What has to be given."),
    Cell("approvals", lambda one: sum(group.needed for group in one.way.groups), "How many people have to approve."),
    Cell("automatic", lambda one: one.way.automatic, "The rule's words, if nobody has to."),
    Cell("emergency", lambda one: one.way.break_glass, "Whether it is for emergencies."),
    Cell("policy_version", lambda one: one.version, "Version of the configuration in force."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Somebody whose word counts: as an approver in a group, or as a reviewer."""

    person: str
    duty: str
    group: str
    target: str
    role: str
    rule: str


def roster(context: Context) -> Iterator[Sheet]:
    """Approvers and reviewers, and delegations that were in force in the period."""
    seats = sorted(
        set(_seats(context)), key=lambda one: (one.person, one.duty, one.target, one.role, one.rule, one.group)
    )
    yield sheet_of("Roster", "Everybody whose word counts, for what, by which rule.", _ROSTER, seats)
    yield sheet_of("Delegations", "Who decided in whose place, and when.", _DELEGATIONS, _delegations(context))


def _seats(context: Context) -> Iterator[Seat]:
    for one in _eligible(context):
        for group in one.way.groups:
            for person in group.people:
                yield Seat(
                    person=person,
                    duty="approves",
                    group=group.name,
                    target=one.target,
                    role=one.role,
                    rule=one.way.rule,
                )
        for person in one.way.reviewers:
            yield Seat(person=person, duty="reviews", group="", target=one.target, role=one.role, rule=one.way.rule)


def _delegations(context: Context) -> Iterator[AbsenceDeclared]:
    period = context.parameters.period
    for one in context.books.others:
        if isinstance(one.event, AbsenceDeclared):
            window = one.event.window
            if window.start < period.end and window.end > period.start:
                yield one.event


_ROSTER: tuple[Cell[Seat], ...] = (
    Cell("person", lambda one: one.person, "Whose word counts."),
    Cell("duty", lambda one: one.duty, "approves or reviews."),
    Cell("group", lambda one: one.group, "In which group of approvers."),
    Cell("target", lambda one: one.target, "For which production system."),
    Cell("role", lambda one: one.role, "For which role."),
    Cell("rule", lambda one: one.rule, "By which rule."),
)
_DELEGATIONS: tuple[Cell[AbsenceDeclared], ...] = (
    Cell("person", lambda one: one.person, "Who was away."),
    Cell("delegate", lambda one: one.delegate, "Who decided in their place."),
    Cell("start", lambda one: one.window.start, "From (UTC, included)."),
    Cell("end", lambda one: one.window.end, "To (UTC, not included)."),
)
