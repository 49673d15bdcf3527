"""Certification campaigns: everybody's eligibility is looked at, and what nobody confirms is taken away."""

from __future__ import annotations

import msgspec

from sojourn.domain.identifiers import CampaignId, PersonId
from sojourn.domain.people import Person
from sojourn.errors import Code, SojournError
from sojourn.projections import assured
from sojourn.web.exchange import PAGE, Exchange
from sojourn.workflow import certifying as campaigns
from sojourn.workflow.adopt import load_standing

from . import assurance_shapes, bodies
from .asking import moment
from .standing import seen
from .viewing import opened_all


async def begin(exchange: Exchange) -> assurance_shapes.CampaignItems:
    """POST /campaigns: an administrator begins one; all eligibility of this moment is in it."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Campaign)
    campaign = exchange.settled(
        await campaigns.open_campaign(
            exchange.services.office,
            title=sent.title,
            person=caller.id,
            reviewers=tuple(PersonId(one) for one in dict.fromkeys(sent.reviewers)),
            due=moment(sent.due),
            source=exchange.source,
        )
    )
    await exchange.caught_up()
    return await _shown(exchange, caller, campaign.id)


async def listing(exchange: Exchange) -> assurance_shapes.Campaigns:
    """GET /campaigns: those in which one decides; all of them for administrators and auditors."""
    caller = await exchange.caller()
    with exchange.services.projections.reading() as connection:
        rows = assured.campaigns(connection, reviewer=_only(caller), before=exchange.before(), limit=PAGE + 1)
    more = len(rows) > PAGE
    return assurance_shapes.Campaigns(
        campaigns=tuple(map(_campaign, rows[:PAGE])), more=more, next=rows[PAGE - 1].seq if more else None
    )


async def one(exchange: Exchange) -> assurance_shapes.CampaignItems:
    """GET /campaigns/{name}?after=N: its items in order; for reviewers those that they decide on."""
    return await _shown(exchange, await exchange.caller(), exchange.name)


async def decide(exchange: Exchange) -> assurance_shapes.CampaignItems:
    """POST /campaigns/{name}/decisions: keep something for somebody, or take it away at once."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.ItemDecision)
    exchange.settled(
        await campaigns.decide_item(
            exchange.services.office,
            campaign=CampaignId(exchange.name),
            number=sent.number,
            person=caller.id,
            keep=sent.keep,
            comment=sent.comment,
            source=exchange.source,
        )
    )
    await _caught_up(exchange)
    return await _shown(exchange, caller, exchange.name)


async def close(exchange: Exchange) -> assurance_shapes.CampaignItems:
    """POST /campaigns/{name}/close: an administrator ends one that is due, or in which everything is decided."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    if not caller.administrator:
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action="close a campaign", who="an administrator")
    campaign = await campaigns.close_campaign(exchange.services.office, CampaignId(exchange.name))
    if campaign.closed is None:
        undecided = len(campaign.items) - len(campaign.decided)
        problem = f"{undecided} items are undecided, and there is time until {campaign.opened.due.isoformat()}"
        raise SojournError(Code.CAMPAIGN_INVALID, problem=problem)
    await _caught_up(exchange)
    return await _shown(exchange, caller, exchange.name)


async def _caught_up(exchange: Exchange) -> None:
    await exchange.caught_up()
    await seen(exchange, (await load_standing(exchange.services.office.ledger)).version)


def _only(caller: Person) -> PersonId | None:
    """Whose items are shown, or None for everybody's."""
    return None if caller.administrator or caller.auditor else caller.id


async def _shown(exchange: Exchange, caller: Person, name: str) -> assurance_shapes.CampaignItems:
    """A campaign as the caller may see it. Raises SojournError `campaign.unknown` for anybody else."""
    after = exchange.after()
    with exchange.services.projections.reading() as connection:
        row = assured.campaign(connection, name, reviewer=_only(caller))
        items = assured.campaign_items(connection, name, reviewer=_only(caller), after=after, limit=PAGE + 1)
    if row is None:
        raise SojournError(Code.CAMPAIGN_UNKNOWN, campaign=name[:100])
    texts = await opened_all(exchange, [one.comment for one in items if one.comment is not None])
    more = len(items) > PAGE
    return assurance_shapes.CampaignItems(
        campaign=_campaign(row),
        items=tuple(_item(one, texts) for one in items[:PAGE]),
        more=more,
        next=items[PAGE - 1].number if more else None,
    )


def _campaign(row: assured.CampaignRow) -> assurance_shapes.CampaignShown:
    return assurance_shapes.CampaignShown(
        campaign=row.id,
        title=row.title,
        status=row.status,
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        due=row.due,
        closed_at=row.closed_at,
        items=row.items,
        undecided=row.undecided,
        kept=row.kept,
        removed=row.removed,
        proven=row.proven,
    )


def _item(row: assured.CampaignItemRow, texts: dict[str, str]) -> assurance_shapes.CampaignItemShown:
    return assurance_shapes.CampaignItemShown(
        number=row.number,
        person=row.person,
        target=row.target,
        role=row.role,
        rules=tuple(row.rules.split(", ")),
        reviewers=msgspec.json.decode(row.reviewers, type=tuple[str, ...]),
        decision=row.decision,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        comment=None if row.comment is None else texts.get(row.comment),
        proven_at=row.proven_at,
    )
