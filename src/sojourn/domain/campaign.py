"""A certification campaign: everybody's eligibility is looked at, and what nobody confirms is taken away.

- It begins with a snapshot of all that anybody may ask for, locked on record under the configuration of that moment.
- Human beings decide; nobody on what is theirs, by any account, or on what an account they answer for may have, and
  nobody whom a separation of duties bars: by what they did for accesses of that kind, or by an office that they hold.
- What a reviewer takes away is gone at once: nothing can be asked for under it, and accesses under it end.
- Silence removes: when time is up, what nobody has decided on is taken away too.
- A removal is proven when the configuration itself no longer gives it and no access under it is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from sojourn.errors import Code, Refusal

from .catalogue import Adopted
from .events import (
    CampaignClosed,
    CampaignDecided,
    CampaignItem,
    CampaignListed,
    CampaignOpened,
    EligibilityRemoved,
    Event,
)
from .identifiers import CampaignId, PersonId, RoleName, RuleName, TargetName
from .people import PersonKind
from .policy import NOTHING_DONE, Done, Duty, apart_refusal, barred
from .sealed import Sealed

DURATION_MAX = timedelta(days=92)
ITEMS_MAX = 10_000
ITEMS_AT_ONCE = 100
"""So many fit into one entry."""

TITLE_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign as its stream tells it; `decided` by the number of the item."""

    opened: CampaignOpened
    items: tuple[CampaignItem, ...] = ()
    decided: dict[int, CampaignDecided] = field(default_factory=dict)
    closed: CampaignClosed | None = None

    @property
    def id(self) -> CampaignId:
        """The campaign's id."""
        return self.opened.campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Begin a campaign with these reviewers, until `due`."""

    campaign: CampaignId
    title: str
    person: PersonId
    reviewers: tuple[PersonId, ...]
    due: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideItem:
    """Keep something for somebody, or take it away. `done` says who did which duty for accesses of that kind."""

    person: PersonId
    number: int
    keep: bool
    source: str
    comment: Sealed | None = None
    done: Done = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWhenDue:
    """Time has passed, or everything is decided: end the campaign if so."""


Command = DecideItem | CloseWhenDue


def evolve(state: Campaign | None, event: Event) -> Campaign | None:
    """The campaign after `event`. Events of other streams leave it as it is."""
    match event:
        case CampaignOpened():
            return Campaign(opened=event)
        case _ if state is None:
            return None
        case CampaignListed():
            return replace(state, items=(*state.items, *event.items))
        case CampaignDecided():
            return replace(state, decided={**state.decided, event.number: event})
        case CampaignClosed():
            return replace(state, closed=event)
        case _:
            return state


def open_campaign(adopted: Adopted, command: Open, now: datetime) -> tuple[Event, ...] | Refusal:
    """The campaign with its whole snapshot, or why it may not begin."""
    person = adopted.catalogue.person(command.person)
    if person is None or not person.administrator:
        details = {"person": command.person, "action": "begin a campaign", "who": "an administrator"}
        return Refusal(Code.PERMISSION_DENIED, details)
    problem = _problem(adopted, command, now)
    if problem:
        return Refusal(Code.CAMPAIGN_INVALID, {"problem": problem})
    items = _snapshot(adopted, command.reviewers)
    if len(items) > ITEMS_MAX:
        return Refusal(Code.CAMPAIGN_INVALID, {"problem": f"There are {len(items)} items; {ITEMS_MAX} are the limit"})
    orphan = next((one for one in items if not one.reviewers), None)
    if orphan is not None:
        problem = f"None of the reviewers may decide on what {orphan.person} may have"
        return Refusal(Code.CAMPAIGN_INVALID, {"problem": problem})
    opened = CampaignOpened(
        campaign=command.campaign,
        title=command.title,
        opened_by=command.person,
        reviewers=command.reviewers,
        due=command.due,
        items=len(items),
        configuration_version=adopted.version,
        configuration_digest=adopted.digest,
        source=command.source,
    )
    parts = [items[start : start + ITEMS_AT_ONCE] for start in range(0, len(items), ITEMS_AT_ONCE)]
    return (opened, *(CampaignListed(campaign=command.campaign, items=part) for part in parts))


def decide(state: Campaign, command: Command, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    """What follows from `command`, or why nothing does; what belongs to the standing of people comes last."""
    match command:
        case DecideItem():
            return _decide_item(state, command, adopted, now)
        case CloseWhenDue():
            return _close(state, now)
        case _:
            assert_never(command)


def _problem(adopted: Adopted, command: Open, now: datetime) -> str:
    """What is wrong with how the campaign is meant to be, or nothing."""
    if not command.title.strip() or len(command.title) > TITLE_LENGTH_MAX:
        return f"A title has 1 to {TITLE_LENGTH_MAX} characters"
    if not now < command.due <= now + DURATION_MAX:
        return f"It ends after now, and within {DURATION_MAX.days} days"
    unknown = [one for one in command.reviewers if adopted.catalogue.person(one) is None]
    if unknown or not command.reviewers:
        return f"There is no person {unknown[0]}" if unknown else "It needs reviewers"
    program = next((one for one in command.reviewers if not _human(adopted, one)), None)
    return "" if program is None else f"Only people certify, and {program} is a program"


def _snapshot(adopted: Adopted, reviewers: tuple[PersonId, ...]) -> tuple[CampaignItem, ...]:
    """Everything that anybody may ask for, in order of person, target and role."""
    out = barred(adopted.policy, Duty.CERTIFY, NOTHING_DONE)
    rules: dict[tuple[PersonId, TargetName, RoleName], list[RuleName]] = {}
    for (target, role), lines in adopted.policy.offered.items():
        for line in lines:
            for person in line.who:
                if adopted.eligible(person, target, role):
                    rules.setdefault((person, target, role), []).append(line.rule.name)
    return tuple(
        CampaignItem(
            number=number,
            person=person,
            target=target,
            role=role,
            rules=tuple(sorted(rules[person, target, role])),
            reviewers=tuple(one for one in reviewers if one not in own_accounts(adopted, person) | out),
        )
        for number, (person, target, role) in enumerate(sorted(rules), 1)
    )


def own_accounts(adopted: Adopted, person: PersonId) -> frozenset[PersonId]:
    """All accounts behind which the same human stands, or who answers for them."""
    return adopted.policy.accounts.get(person, frozenset((person,)))


def _decide_item(state: Campaign, command: DecideItem, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    item = next((one for one in state.items if one.number == command.number), None)
    if item is None:
        return Refusal(Code.CAMPAIGN_ITEM_UNKNOWN, {"campaign": state.id, "number": str(command.number)})
    barred = own_accounts(adopted, item.person)
    if command.person not in item.reviewers or command.person in barred or not _human(adopted, command.person):
        details = {"person": command.person, "campaign": state.id, "number": str(item.number)}
        return Refusal(Code.CAMPAIGN_NOT_ENTITLED, {**details, "reviewers": ", ".join(item.reviewers)})
    refusal = apart_refusal(adopted.policy, Duty.CERTIFY, command.person, command.done)
    if refusal is not None:
        return refusal
    if state.closed is not None or now >= state.opened.due:
        return Refusal(Code.CAMPAIGN_CLOSED, {"campaign": state.id, "due": state.opened.due.isoformat()})
    before = state.decided.get(item.number)
    if before is not None:
        details = {"campaign": state.id, "number": str(item.number), "person": before.person}
        return Refusal(Code.CAMPAIGN_DECIDED, details)
    decided = CampaignDecided(
        campaign=state.id,
        number=item.number,
        person=command.person,
        keep=command.keep,
        comment=command.comment,
        source=command.source,
        configuration_version=adopted.version,
    )
    return (decided,) if command.keep else (decided, _removed(state, item))


def _human(adopted: Adopted, person: PersonId) -> bool:
    """Whether that is a human being who is there."""
    known = adopted.catalogue.person(person)
    return known is not None and known.kind is PersonKind.HUMAN


def _removed(state: Campaign, item: CampaignItem) -> EligibilityRemoved:
    return EligibilityRemoved(campaign=state.id, person=item.person, target=item.target, role=item.role)


def _close(state: Campaign, now: datetime) -> tuple[Event, ...]:
    undecided = [one for one in state.items if one.number not in state.decided]
    if state.closed is not None or (undecided and now < state.opened.due):
        return ()
    kept = sum(one.keep for one in state.decided.values())
    closed = CampaignClosed(
        campaign=state.id,
        kept=kept,
        removed=len(state.items) - kept,
        silent=tuple(one.number for one in undecided),
    )
    return (closed, *(_removed(state, one) for one in undecided))
