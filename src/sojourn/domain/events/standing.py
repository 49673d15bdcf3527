"""What can happen to the standing of people: they leave and return, are away, and lose what was certified no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sojourn.domain.identifiers import AbsenceId, CampaignId, GrantId, PersonId, RoleName, TargetName, TeamName
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLeft:
    """The person has left: from here on they are nobody, whatever the files still say."""

    kind: ClassVar[str] = "person.left"
    person: PersonId
    recorded_by: str
    reason: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReturned:
    """The person is back; what they had does not come back with them."""

    kind: ClassVar[str] = "person.returned"
    person: PersonId
    recorded_by: str
    reason: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedBack:
    """What somebody who left, or lost something, had and did since `since`: grants, and how much was done by them."""

    kind: ClassVar[str] = "person.looked_back"
    person: PersonId
    since: datetime
    grants: tuple[GrantId, ...]
    grants_total: int
    sessions: int
    actions: int
    writes: int
    requests_decided: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceDeclared:
    """The person is away for this time. The `delegate`, if there is one, decides in their place."""

    kind: ClassVar[str] = "absence.declared"
    absence: AbsenceId
    person: PersonId
    window: Window
    delegate: PersonId | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceEnded:
    """The person is back, or called the absence off."""

    kind: ClassVar[str] = "absence.ended"
    absence: AbsenceId
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsBlocked:
    """A review is overdue: until it is concluded, these teams and this person are given nothing new."""

    kind: ClassVar[str] = "teams.blocked"
    grant: GrantId
    person: PersonId
    teams: tuple[TeamName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsUnblocked:
    """The overdue review is concluded."""

    kind: ClassVar[str] = "teams.unblocked"
    grant: GrantId


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityRemoved:
    """A campaign took from the person what the policy would let them ask for, as from here on."""

    kind: ClassVar[str] = "eligibility.removed"
    campaign: CampaignId
    person: PersonId
    target: TargetName
    role: RoleName


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityLost:
    """By the configuration of this version the person is gone, or can ask no longer for something as they could."""

    kind: ClassVar[str] = "eligibility.lost"
    person: PersonId
    configuration_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityRemovalConfirmed:
    """The loop is closed: the configuration of this version no longer gives it, and no access of the person is left."""

    kind: ClassVar[str] = "eligibility.removal_confirmed"
    campaign: CampaignId
    person: PersonId
    target: TargetName
    role: RoleName
    configuration_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsClaimed:
    """A provider says which of the groups that teams are filled from the person is in; what it said before is over."""

    kind: ClassVar[str] = "person.groups_claimed"
    person: PersonId
    origin: str
    groups: tuple[str, ...]
    source: str
