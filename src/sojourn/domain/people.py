"""People, and the teams they are in."""

from __future__ import annotations

from dataclasses import dataclass

from .identifiers import PersonId, TeamName


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can ask, decide or look. Identity is `id`, never the mail address.

    `administrator` may invite people and revoke any grant; `auditor` may read everything and change nothing.
    """

    id: PersonId
    name: str
    mail: str = ""
    administrator: bool = False
    auditor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A named set of people. Decisions count people, so being in two teams counts once."""

    name: TeamName
    members: tuple[PersonId, ...]
