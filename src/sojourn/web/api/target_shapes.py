"""What the API answers about the targets themselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightShown:
    """What Sojourn's account lacks on a target for its roles, one line each with its remedy; empty if nothing."""

    target: str
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingShown:
    """One difference between a target and the record; `since` is when it was first seen."""

    kind: str
    subject: str
    detail: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookShown:
    """One look at a target. `seq` is its entry in the ledger, or null if the look said nothing new.

    `problem` says why the target could not be looked at; then nothing else is known. `log_matched` counts sessions of
    the target's own log that were found on record since the entry before; `log_problem` says why it was not read.
    """

    target: str
    at: str
    seq: int | None
    problem: str | None
    sessions: int
    sessions_matched: int
    logins: int
    findings: tuple[FindingShown, ...]
    accounts: tuple[str, ...]
    accounts_changed: tuple[str, ...]
    log_matched: int
    log_problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The looks at a target that are on record, the last first.

    `more` says that there are older ones: ask again with `before` set to `next`.
    """

    looks: tuple[LookShown, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleKept:
    """A role of a target: what it opens there."""

    role: str
    description: str
    privileges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetKept:
    """A target with its roles, and the last look at it that said something new (null if there was none yet)."""

    target: str
    kind: str
    description: str
    host: str
    labels: dict[str, str]
    roles: tuple[RoleKept, ...]
    last_look: LookShown | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All targets of the configuration in force."""

    targets: tuple[TargetKept, ...]
