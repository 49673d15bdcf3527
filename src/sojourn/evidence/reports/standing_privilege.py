"""What is left standing, and what went past Sojourn, as the targets themselves showed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.events import TargetReconciled
from sojourn.evidence.files.sheet import Sheet

from .columns import Cell, sheet_of
from .completeness import completeness
from .context import Context
from .exceptions import open_findings, unmatched
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


def bypass(context: Context) -> Iterator[Sheet]:
    """Findings with what became of them, those that are open, and the checks."""
    yield unmatched(context)
    yield open_findings(context)
    yield completeness(context)
