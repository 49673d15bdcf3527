"""Certify: everybody's eligibility is looked at in a campaign, and what nobody confirms is taken away."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import campaign as campaigns
from sojourn.domain.campaign import Campaign, CloseWhenDue, DecideItem, Open
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import EligibilityRemovalConfirmed, EligibilityRemoved, Event
from sojourn.domain.history import Change
from sojourn.domain.identifiers import STANDING, CampaignId, PersonId, campaign_stream
from sojourn.domain.policy import NOTHING_DONE, Done
from sojourn.domain.standing import Removal, Standing
from sojourn.errors import Code, Refusal, SojournError

from .deciding import (
    SYSTEM_ACTOR,
    TRIES_MAX,
    Attempt,
    Decided,
    Subject,
    append_unless_stale,
    must,
    refuse,
    settle,
    shown,
)
from .loading import is_id
from .ports import Access, Office
from .standing import on_standing
from .submit import too_long


async def open_campaign(
    office: Office, *, title: str, person: PersonId, reviewers: tuple[PersonId, ...], due: datetime, source: str
) -> Campaign | Refusal:
    """Begin a campaign: the snapshot of all eligibility is taken and locked in one append.

    Gives the campaign, or why not (on record as an attempt). Raises SojournError from the ledger.
    """
    attempt = Attempt(verb="open_campaign", actor=person, source=source)
    for tried in range(TRIES_MAX):
        adopted = office.in_force()
        campaign = CampaignId(office.new_id("c"))
        command = Open(
            campaign=campaign, title=title, person=person, reviewers=reviewers, due=due, source=shown(source)
        )
        events = campaigns.open_campaign(adopted, command, office.clock.now())
        if isinstance(events, Refusal):
            return await refuse(office, attempt, "campaign", events)
        stream = campaign_stream(campaign)
        changes = tuple(Change(stream=stream, event=event, seen=place) for place, event in enumerate(events))
        if await append_unless_stale(office, tried, changes, (), adopted):
            state: Campaign | None = None
            for event in events:
                state = campaigns.evolve(state, event)
            assert state is not None, "a campaign that was opened is one"
            return state
    raise SojournError(Code.RECORD_STALE, stream="campaign")


async def decide_item(
    office: Office,
    *,
    campaign: CampaignId,
    number: int,
    person: PersonId,
    keep: bool,
    comment: str,
    source: str,
) -> Campaign | Refusal:
    """Keep something for somebody, or take it away at once. `comment` is sealed.

    Gives the campaign afterwards, or why not (on record as an attempt). Raises SojournError from the ledger.
    """

    def decide(state: Campaign, adopted: Adopted, now: datetime) -> Decided | Refusal:
        refusal = too_long(comment)
        if refusal is not None:
            return refusal
        sealing = office.sealer.seal(person, comment.encode("utf-8", "backslashreplace")) if comment.strip() else None
        command = DecideItem(
            person=person,
            number=number,
            keep=keep,
            source=shown(source),
            comment=None if sealing is None else sealing.sealed,
            done=_done(office, state, number),
        )
        decided = campaigns.decide(state, command, adopted, now)
        if isinstance(decided, Refusal):
            return decided
        return _apart(decided, adopted, Decided(events=(), sealings=() if sealing is None else (sealing,)))

    attempt = Attempt(verb="certify", actor=person, source=source)
    return await settle(office, attempt, _subject(campaign), decide, guarded=True)


async def close_campaign(office: Office, campaign: CampaignId) -> Campaign:
    """End a campaign whose time is up, or in which everything is decided; silence removes.

    Raises SojournError `campaign.unknown`, or the ledger's.
    """

    def decide(state: Campaign, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = campaigns.decide(state, CloseWhenDue(), adopted, now)
        return decided if isinstance(decided, Refusal) else _apart(decided, adopted, Decided(events=()))

    attempt = Attempt(verb="close_campaign", actor=SYSTEM_ACTOR, source="")
    return must(await settle(office, attempt, _subject(campaign), decide, guarded=True))


async def confirm_removal(office: Office, removal: Removal) -> Standing:
    """Say that what a campaign took away is gone from the configuration too, and that no access under it is left.

    Raises SojournError from the ledger. The caller has looked at both; a removal that is confirmed stays so.
    """

    def decide(state: Standing, adopted: Adopted, now: datetime) -> Decided | Refusal:
        if removal not in state.removals:
            return Decided(events=())
        event = EligibilityRemovalConfirmed(
            campaign=removal.campaign,
            person=removal.person,
            target=removal.target,
            role=removal.role,
            configuration_version=adopted.version,
        )
        return Decided(events=(event,))

    attempt = Attempt(verb="confirm_removal", actor=SYSTEM_ACTOR, source="")
    settled = await on_standing(office, attempt, campaign_stream(removal.campaign), decide)
    assert not isinstance(settled, Refusal), "nothing here refuses"
    return settled


def _done(office: Office, state: Campaign, number: int) -> Done:
    """Who did what for accesses of the kind that the item is about."""
    item = next((one for one in state.items if one.number == number), None)
    if item is None:
        return NOTHING_DONE
    return office.took_part(Access(person=item.person, target=item.target, role=item.role))


def _subject(campaign: CampaignId) -> Subject[Campaign]:
    return Subject(
        stream=campaign_stream(campaign),
        looked_up=is_id(campaign),
        evolve=campaigns.evolve,
        unknown=Refusal(Code.CAMPAIGN_UNKNOWN, {"campaign": shown(campaign)}),
    )


def _apart(decided: tuple[Event, ...], adopted: Adopted, rest: Decided) -> Decided:
    """The campaign's own events, and what it takes from people, in one append."""
    own = tuple(event for event in decided if not isinstance(event, EligibilityRemoved))
    taken = [event for event in decided if isinstance(event, EligibilityRemoved)]
    also = tuple(
        Change(stream=STANDING, event=event, seen=adopted.standing.version + place) for place, event in enumerate(taken)
    )
    return Decided(events=own, also=also, sealings=rest.sealings)
