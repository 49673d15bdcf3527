"""The promises about reviews and certifications."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from sojourn.domain.events import (
    CampaignClosed,
    CampaignDecided,
    CampaignItem,
    CampaignListed,
    CampaignOpened,
    EligibilityRemoved,
    RequestApproved,
    ReviewConcluded,
    ReviewOpened,
    TeamsUnblocked,
)
from sojourn.domain.history import Recorded

from .company import Company


@dataclass(slots=True)
class Campaigning:
    """A campaign, as far as the promises need it. `owed` are the removals that have to follow."""

    opened: CampaignOpened
    items: dict[int, CampaignItem] = field(default_factory=dict)
    decided: set[int] = field(default_factory=set)
    owed: set[tuple[str, str, str]] = field(default_factory=set)
    closed: bool = False


@dataclass(slots=True)
class Assurance:
    """Every review and campaign, at the place in the ledger that was reached."""

    company: Company
    slack: timedelta
    reviews: dict[str, ReviewOpened] = field(default_factory=dict)
    concluded: set[str] = field(default_factory=set)
    campaigns: dict[str, Campaigning] = field(default_factory=dict)
    approved: dict[str, set[str]] = field(default_factory=dict)

    def told(self, recorded: Recorded) -> Iterator[str]:
        """Take note of an entry; gives what is wrong with it."""
        event = recorded.event
        match event:
            case RequestApproved():
                self.approved.setdefault(event.request, set()).update(
                    {event.person, event.on_behalf_of or event.person}
                )
            case ReviewOpened():
                if event.grant in self.reviews:
                    yield "a second review of one access"
                self.reviews[event.grant] = event
                yield from self._independent(event, event.reviewers)
            case ReviewConcluded():
                if event.grant in self.concluded or event.grant not in self.reviews:
                    yield "concluded twice, or without a review"
                else:
                    yield from self._independent(self.reviews[event.grant], (event.person,))
                if not self.company.decides(event.person):
                    yield f"{event.person} is nobody who reviews"
                self.concluded.add(event.grant)
            case TeamsUnblocked():
                if event.grant not in self.concluded:
                    yield "given again what is new, and the review is not concluded"
            case _:
                yield from self._campaign(recorded)

    def _independent(self, opened: ReviewOpened, reviewers: tuple[str, ...]) -> Iterator[str]:
        for person in reviewers:
            if self.company.human(person) == self.company.human(opened.person):
                yield f"{person} reviews their own access"
            if person in self.approved.get(opened.request, ()):
                yield f"{person} reviews what they approved"

    def _campaign(self, recorded: Recorded) -> Iterator[str]:
        event = recorded.event
        match event:
            case CampaignOpened():
                self.campaigns[event.campaign] = Campaigning(event)
            case CampaignListed():
                self.campaigns[event.campaign].items.update((item.number, item) for item in event.items)
            case CampaignDecided():
                yield from self._decided(self.campaigns[event.campaign], event, recorded)
            case CampaignClosed():
                campaign = self.campaigns[event.campaign]
                silent = campaign.items.keys() - campaign.decided
                if campaign.closed or set(event.silent) != silent or len(campaign.items) != campaign.opened.items:
                    yield "closed twice, or with another snapshot than it began with"
                if silent and recorded.at < campaign.opened.due - self.slack:
                    yield "silence before its time"
                campaign.closed = True
                campaign.owed |= {_what(campaign.items[number]) for number in silent}
            case EligibilityRemoved():
                owed = self.campaigns[event.campaign].owed
                if (event.person, event.target, event.role) not in owed:
                    yield "taken away though nobody decided so"
                owed.discard((event.person, event.target, event.role))
            case _:
                pass

    def _decided(self, campaign: Campaigning, event: CampaignDecided, recorded: Recorded) -> Iterator[str]:
        item = campaign.items[event.number]
        if self.company.human(event.person) == self.company.human(item.person):
            yield f"{event.person} certifies what is their own"
        if event.person not in campaign.opened.reviewers or not self.company.decides(event.person):
            yield f"{event.person} was not asked"
        if campaign.closed or event.number in campaign.decided or recorded.at >= campaign.opened.due + self.slack:
            yield "decided twice, or after the end"
        campaign.decided.add(event.number)
        if not event.keep:
            campaign.owed.add(_what(item))

    def owed(self) -> tuple[str, ...]:
        """What was decided to be taken away and was not, in words."""
        return tuple(
            f"campaign {name} owes the removal of {', '.join(one)}"
            for name, campaign in sorted(self.campaigns.items())
            for one in sorted(campaign.owed)
        )


def _what(item: CampaignItem) -> tuple[str, str, str]:
    return (item.person, item.target, item.role)
