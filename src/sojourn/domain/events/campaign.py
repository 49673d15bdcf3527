"""What can happen in a campaign that certifies who may ask for what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sojourn.domain.identifiers import CampaignId, PersonId, RoleName, RuleName, TargetName
from sojourn.domain.sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignItem:
    """Somebody may ask for a role on a target, by these rules. Somebody of `reviewers` keeps it or takes it away."""

    number: int
    person: PersonId
    target: TargetName
    role: RoleName
    rules: tuple[RuleName, ...]
    reviewers: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignOpened:
    """Everything that anybody may ask for under this version of the configuration is looked at, by `due`.

    `items` entries follow in the same append, so the snapshot is locked: nobody adds to it or takes from it.
    """

    kind: ClassVar[str] = "campaign.opened"
    campaign: CampaignId
    title: str
    opened_by: PersonId
    reviewers: tuple[PersonId, ...]
    due: datetime
    items: int
    configuration_version: int
    configuration_digest: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignListed:
    """A part of the snapshot."""

    kind: ClassVar[str] = "campaign.listed"
    campaign: CampaignId
    items: tuple[CampaignItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDecided:
    """A reviewer kept something for somebody, or took it away; what is taken away is gone from here on."""

    kind: ClassVar[str] = "campaign.decided"
    campaign: CampaignId
    number: int
    person: PersonId
    keep: bool
    comment: Sealed | None
    source: str
    configuration_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignClosed:
    """It is over. What nobody had decided on was taken away: those are `silent`."""

    kind: ClassVar[str] = "campaign.closed"
    campaign: CampaignId
    kept: int
    removed: int
    silent: tuple[int, ...]
