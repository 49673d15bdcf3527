"""What a company's directory says by SCIM: whom and which groups it hands over. Members are told by `GroupsClaimed`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sojourn.domain.identifiers import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonProvisioned:
    """The directory answers for this person from here on: for whether they are there, and for their groups.

    `external_id` is what it calls them; `recorded_by` is the program through which it said so.
    """

    kind: ClassVar[str] = "person.provisioned"
    person: PersonId
    external_id: str
    recorded_by: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDeprovisioned:
    """The directory no longer knows the person."""

    kind: ClassVar[str] = "person.deprovisioned"
    person: PersonId
    recorded_by: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupProvisioned:
    """There is such a group at the directory, under this name from here on."""

    kind: ClassVar[str] = "group.provisioned"
    group: str
    name: str
    external_id: str
    recorded_by: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDeprovisioned:
    """The group is gone at the directory."""

    kind: ClassVar[str] = "group.deprovisioned"
    group: str
    recorded_by: PersonId
    source: str
