"""What the API answers about the standing of people (see `shapes` for the rules that all shapes keep)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonShown:
    """A person, and whether the record says that they have left."""

    person: str
    name: str
    left: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBack:
    """What a person had and did since a moment: their grants, newest first (500 at most are named), and what was done.

    `grants_open` have not ended yet. `writes` counts actions that could have written; `requests_decided` those that
    the person approved or denied.
    """

    person: str
    left: bool
    since: str
    grants: tuple[str, ...]
    grants_total: int
    grants_open: tuple[str, ...]
    sessions: int
    actions: int
    writes: int
    requests_decided: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceShown:
    """A time for which somebody is away; `delegate` decides in their place. `now` says whether it is going on."""

    absence: str
    person: str
    start: str
    end: str
    delegate: str | None
    now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Absences:
    """Who is, or will be, away; the next first."""

    absences: tuple[AbsenceShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonListed:
    """A person of the configuration in force. `kind` is human, service or agent, which has an `owner` who answers."""

    person: str
    name: str
    mail: str
    kind: str
    owner: str | None
    manager: str | None
    administrator: bool
    auditor: bool
    teams: tuple[str, ...]
    left: bool
    away: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleListed:
    """Everybody of the configuration in force, in the order of their ids."""

    people: tuple[PersonListed, ...]
