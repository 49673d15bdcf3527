"""What the API answers about the configuration and its changes (see `shapes` for the rules that all shapes keep)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityRemoved:
    """A certification has taken this from somebody."""

    person: str
    target: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsClaimed:
    """Groups that somebody was in, as a provider or a directory (`origin`) said, and that count for teams."""

    person: str
    origin: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsBlocked:
    """The review of a grant was overdue: its holder and these teams were given nothing new."""

    grant: str
    person: str
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationShown:
    """A configuration that is or was in force, and the standing of its people then.

    `catalogue` is canonical JSON, `digest` its SHA-256 (hex); `settings` (those that the record holds) are canonical
    JSON too, and `settings_digest` its SHA-256, "" before there were any on record. Either `operator` adopted it alone,
    or `change` was proposed and approved by two people. `left` are people who had left, `removed` what certifications
    had taken away, `groups` who was in which groups that fill teams, and `blocked` who waited for an overdue review.
    """

    version: int
    digest: str
    adopted_at: str
    operator: str
    change: str
    proposed_by: str
    approved_by: str
    catalogue: str
    settings: str
    settings_digest: str
    left: tuple[str, ...]
    removed: tuple[EligibilityRemoved, ...]
    groups: tuple[GroupsClaimed, ...]
    blocked: tuple[TeamsBlocked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationFiles:
    """The files of a configuration, each text by its name."""

    version: int
    files: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceShown:
    """One thing that a change makes otherwise for a person; `person` is empty for what concerns everybody.

    `kind` is `gains`, `loses` or `changes`.
    """

    person: str
    kind: str
    what: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeShown:
    """A proposed change. `digest` covers all of it; an approval names it.

    `differences` say what it means for people, against the version that it is to replace; in lists it is empty.
    `decidable` says whether the caller can approve it now.
    """

    change: str
    status: str
    proposed_by: str
    proposed_at: str
    reason: str | None
    base: int
    digest: str
    decided_by: str | None
    version: int | None
    differences: tuple[DifferenceShown, ...]
    decidable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Proposed changes, newest first. `more` says that there are older ones: ask again with `before` set to `next`."""

    changes: tuple[ChangeShown, ...]
    more: bool
    next: int | None
