"""What is left standing, and what went past Sojourn, as the targets themselves showed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.events import TargetReconciled, TargetUnobserved
from sojourn.evidence.files.sheet import Sheet

from .columns import Cell, sheet_of
from .completeness import completeness
from .context import Context
from .population import CELLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A mighty account of a target, at its last look before the report."""

    target: str
    account: str
    seen_at: datetime
    entry: int


def sheets(context: Context) -> Iterator[Sheet]:
    """Accounts that stand by themselves, and access that is open."""
    yield sheet_of("Accounts", "Mighty accounts of the targets that are not Sojourn's.", _ACCOUNTS, _accounts(context))
    yield sheet_of("Account changes", "What came and went in the period.", _CHANGES, _changes(context))
    held = (event for event in context.events if event.access.status in ("active", "ended"))
    yield sheet_of("Open access", "Access that is not read back as gone as of the report.", CELLS, held)


def _accounts(context: Context) -> Iterator[Account]:
    last: dict[str, tuple[int, datetime, TargetReconciled]] = {}
    for one in context.books.others:
        if isinstance(one.event, TargetReconciled):
            last[one.event.target] = (one.seq, one.at, one.event)
    for target, (seq, at, event) in sorted(last.items()):
        for account in event.accounts:
            yield Account(target=target, account=account, seen_at=at, entry=seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """An account that came (`+`) or went (`-`)."""

    target: str
    change: str
    at: datetime
    entry: int


def _changes(context: Context) -> Iterator[AccountChange]:
    for one in context.books.others:
        if isinstance(one.event, TargetReconciled) and context.parameters.period.contains(one.at):
            for change in one.event.accounts_changed:
                yield AccountChange(target=one.event.target, change=change, at=one.at, entry=one.seq)


_ACCOUNTS: tuple[Cell[Account], ...] = (
    Cell("target", lambda one: one.target, "Production system."),
    Cell("account", lambda one: one.account, "The account, and what makes it mighty."),
    Cell("seen_at", lambda one: one.seen_at, "When it was seen last (UTC)."),
    Cell("entry", lambda one: one.entry, "Place of that look in the record."),
)
_CHANGES: tuple[Cell[AccountChange], ...] = (
    Cell("target", lambda one: one.target, "Production system."),
    Cell("change", lambda one: one.change, "+ for an account that came, - for one that went."),
    Cell("at", lambda one: one.at, "When it was noticed (UTC)."),
    Cell("entry", lambda one: one.entry, "Place of that look in the record."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """Something that the record and a target did not both know. `times` looks showed it."""

    target: str
    kind: str
    subject: str
    detail: str
    since: datetime
    last_at: datetime
    looks: int


def bypass(context: Context) -> Iterator[Sheet]:
    """Findings of the period, times when nobody could look, and the checks."""
    found = sorted(_unmatched(context), key=lambda one: (one.since, one.target, one.subject))
    yield sheet_of("Unmatched", "What record and target did not both know.", _UNMATCHED, found)
    yield sheet_of("Gaps", "Times when a target could not be looked at.", _GAPS, _gaps(context))
    yield completeness(context)


def _unmatched(context: Context) -> Iterator[Unmatched]:
    seen: dict[tuple[str, str, str, datetime], Unmatched] = {}
    for one in context.books.others:
        if isinstance(one.event, TargetReconciled) and context.parameters.period.contains(one.at):
            for item in one.event.findings:
                key = (one.event.target, item.kind.value, item.subject, item.since)
                before = seen.get(key)
                seen[key] = Unmatched(
                    target=one.event.target,
                    kind=item.kind.value,
                    subject=item.subject,
                    detail=item.detail,
                    since=item.since,
                    last_at=one.at,
                    looks=1 if before is None else before.looks + 1,
                )
    yield from seen.values()


def _gaps(context: Context) -> Iterator[tuple[str, datetime, str, int]]:
    for one in context.books.others:
        if isinstance(one.event, TargetUnobserved) and context.parameters.period.contains(one.at):
            yield one.event.target, one.at, one.event.problem, one.seq


_UNMATCHED: tuple[Cell[Unmatched], ...] = (
    Cell("target", lambda one: one.target, "Production system."),
    Cell("kind", lambda one: one.kind, "What did not match."),
    Cell("subject", lambda one: one.subject, "Login or session."),
    Cell("detail", lambda one: one.detail, "What was seen."),
    Cell("since", lambda one: one.since, "When it was first seen (UTC)."),
    Cell("last_at", lambda one: one.last_at, "When it was last on record (UTC)."),
    Cell("entries", lambda one: one.looks, "Entries that tell of it."),
)
_GAPS: tuple[Cell[tuple[str, datetime, str, int]], ...] = (
    Cell("target", lambda one: one[0], "Production system."),
    Cell("at", lambda one: one[1], "From when on it could not be looked at (UTC)."),
    Cell("problem", lambda one: one[2], "Why."),
    Cell("entry", lambda one: one[3], "Place in the record."),
)
