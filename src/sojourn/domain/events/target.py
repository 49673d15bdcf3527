"""What was seen at a target, as Sojourn's own account sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sojourn.domain.identifiers import TargetName


class FindingKind(StrEnum):
    """How what a target shows can differ from what is on record."""

    SESSION_UNRECORDED = "session_unrecorded"
    SESSION_MISSING = "session_missing"
    LOGIN_UNRECORDED = "login_unrecorded"
    LOGIN_MISSING = "login_missing"
    LOGIN_RETURNED = "login_returned"
    LOG_UNRECORDED = "log_unrecorded"
    LOG_MISSING = "log_missing"
    MORE_THAN_TOLD = "more_than_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference. `subject` is the login or session it is about; `since` is when it was first seen."""

    kind: FindingKind
    subject: str
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReconciled:
    """A target was looked at and compared with the record, in both directions.

    Recorded when a look differs from the one before, and once an hour in any case. `looks` counts the looks since the
    last entry, this one included. `accounts` are the target's mighty logins that are not ours, one line each;
    `accounts_changed` says what came (`+`) and went (`-`) since the last entry.

    `log_place` is how far the target's own log was compared, `log_matched` how many sessions in it were found on record
    since the last entry, and `log_problem` why it was not read, if it was not.
    """

    kind: ClassVar[str] = "target.reconciled"
    target: TargetName
    looks: int
    sessions: int
    sessions_matched: int
    logins: int
    findings: tuple[Finding, ...]
    accounts: tuple[str, ...]
    accounts_changed: tuple[str, ...]
    log_place: str = ""
    log_matched: int = 0
    log_problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetUnobserved:
    """The target could not be looked at: from here to the next look nothing is known of it."""

    kind: ClassVar[str] = "target.unobserved"
    target: TargetName
    problem: str
