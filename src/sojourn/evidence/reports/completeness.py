"""Is it all there? The roll-forward, the sequence, the counts of the record, and what the targets themselves saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.events import FindingKind, TargetReconciled
from sojourn.domain.finding import UNOBSERVED
from sojourn.evidence.accesses import Access
from sojourn.evidence.files.sheet import Sheet

from .columns import Cell, sheet_of
from .context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something that has to come out. `holds` is None for a number that is told and has nothing to come out as."""

    about: str
    expected: str
    found: str
    holds: bool | None


CELLS: tuple[Cell[Check], ...] = (
    Cell("check", lambda one: one.about, "What has to come out."),
    Cell("expected", lambda one: one.expected, "What it has to be, and from where."),
    Cell("found", lambda one: one.found, "What it is."),
    Cell("result", lambda one: "" if one.holds is None else "pass" if one.holds else "fail", "pass or fail."),
)


def completeness(context: Context) -> Sheet:
    """The sheet Completeness."""
    return sheet_of("Completeness", "Whether anything is missing.", CELLS, checks(context))


def checks(context: Context) -> Iterator[Check]:
    """Every check of completeness."""
    yield from _rolled_forward(context)
    yield from _numbered(context)
    yield from _counted(context)
    yield from _seen_by_targets(context)


def _open_at(access: Access, moment: datetime) -> bool:
    closed = access.closed_at
    return access.submitted.at < moment and (closed is None or closed >= moment)


def _rolled_forward(context: Context) -> Iterator[Check]:
    """opening + asked - closed = closing, each counted for itself."""
    period, accesses = context.parameters.period, list(filter(context.wanted, context.books.accesses))
    opening = sum(_open_at(one, period.start) for one in accesses)
    created = sum(period.contains(one.submitted.at) for one in accesses)
    closed = sum(one.closed_at is not None and period.contains(one.closed_at) for one in accesses)
    closing = sum(_open_at(one, period.end) for one in accesses)
    expected = f"{opening} open at the start + {created} asked for - {closed} closed = {opening + created - closed}"
    yield Check(
        about="roll-forward",
        expected=expected,
        found=f"{closing} open at the end",
        holds=opening + created - closed == closing,
    )
    rows = len(context.events)
    expected = f"{opening} open at the start + {created} asked for = {opening + created}"
    yield Check(about="rows of the population", expected=expected, found=str(rows), holds=opening + created == rows)
    statuses: dict[str, int] = {}
    for event in context.events:
        statuses[event.access.status] = statuses.get(event.access.status, 0) + 1
    for status, count in sorted(statuses.items()):
        yield Check(about=f"status as of the report: {status}", expected="", found=str(count), holds=None)
    yield Check(
        about="all statuses",
        expected=str(rows),
        found=str(sum(statuses.values())),
        holds=rows == sum(statuses.values()),
    )


def _numbered(context: Context) -> Iterator[Check]:
    # Of all targets: numbers are given to all requests, so those of some targets have gaps.
    period = context.parameters.period
    numbers = [one.number for one in context.books.accesses if period.contains(one.submitted.at)]
    if not numbers:
        yield Check(about="sequence of requests", expected="none asked for in the period", found="none", holds=True)
        return
    first, last = min(numbers), max(numbers)
    expected = f"every number from {first} to {last}: {last - first + 1}"
    yield Check(
        about="sequence of requests",
        expected=expected,
        found=str(len(numbers)),
        holds=numbers == list(range(first, last + 1)),
    )


def _counted(context: Context) -> Iterator[Check]:
    """What the entries of the record count to, against what the access events hold."""
    books, base = context.books, context.base
    fold, kinds = books.accesses, books.kinds
    yield Check(
        about="entries of the record",
        expected=f"{base.size} under the signed checkpoint",
        found=str(books.size),
        holds=books.size == base.size,
    )
    uses = [use for given in fold.grants.values() for use in given.uses.values()]
    pairs = (
        ("requests", kinds["request.submitted"], len(fold.requests)),
        ("grants", kinds["grant.created"], sum(one.given is not None for one in fold)),
        ("sessions", kinds["session.opened"], len(uses)),
        ("actions", kinds["action.intended"], sum(use.actions for use in uses)),
        ("outcomes of actions", kinds["action.completed"], sum(use.completed for use in uses)),
    )
    for about, recorded, held in pairs:
        yield Check(
            about=f"{about} in the whole record",
            expected=f"{recorded} entries",
            found=f"{held} in access events",
            holds=recorded == held,
        )
    strays = fold.strays
    yield Check(
        about="entries that belong to nothing known",
        expected="0",
        found=_with_places(strays.count, strays.first),
        holds=not strays.count,
    )
    gaps = [
        (given.misnumbered.count, given.misnumbered.first) for given in fold.grants.values() if given.misnumbered.count
    ]
    yield Check(
        about="numbers of actions without a gap",
        expected="0 gaps",
        found=_with_places(sum(count for count, _ in gaps), [place for _, first in gaps for place in first]),
        holds=not gaps,
    )
    yield Check(
        about="the record leads to its signed root", expected="yes", found=base.problem or "yes", holds=not base.problem
    )


def _with_places(count: int, first: list[int]) -> str:
    return f"{count} (entries {', '.join(map(str, first))})" if count else "0"


def _seen_by_targets(context: Context) -> Iterator[Check]:
    """Sojourn's record against what the targets showed, in both directions, and when nobody could look."""
    period = context.parameters.period
    looks: dict[str, int] = {}
    for one in context.books.others:
        if isinstance(one.event, TargetReconciled) and period.contains(one.at):
            looks[one.event.target] = looks.get(one.event.target, 0) + one.event.looks
    found = [one for one in context.findings if period.contains(one.told_at)]
    used = {one.access.asked.event.target for one in context.events if one.access.given is not None}
    scope = context.parameters.targets
    for target in sorted(one for one in {*looks, *(one.target for one in found), *used} if not scope or one in scope):
        count = looks.get(target, 0)
        yield Check(about=f"{target}: looks at the target", expected="at least 1", found=str(count), holds=count > 0)
        for kind in (*FindingKind, UNOBSERVED):
            of_kind = [one for one in found if one.target == target and one.kind == kind]
            opened = sum(one.disposed is None for one in of_kind)
            subjects = ", ".join(sorted({one.subject for one in of_kind})[:20])
            yield Check(
                about=f"{target}: {kind.replace('_', ' ')}",
                expected="0 of which nobody has said what becomes of them",
                found=f"{len(of_kind)} {subjects}, {opened} open" if of_kind else "0",
                holds=not opened,
            )
    yield _findings_rolled_forward(context)


def _findings_rolled_forward(context: Context) -> Check:
    """opening + found - disposed = closing, each counted for itself."""
    period, found = context.parameters.period, context.all_findings
    opening = sum(one.open_at(period.start) for one in found)
    told = sum(period.contains(one.told_at) for one in found)
    disposed = sum(bool(one.said) and period.contains(one.said[0].at) for one in found)
    closing = sum(one.open_at(period.end) for one in found)
    return Check(
        about="roll-forward of findings",
        expected=f"{opening} open at the start + {told} found - {disposed} disposed of = {opening + told - disposed}",
        found=f"{closing} open at the end",
        holds=opening + told - disposed == closing,
    )
