"""What is planted into the year: each thing that an attribute test is for, by lateness or by a forged entry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

from sojourn.domain.events import (
    BreakGlassUsed,
    Event,
    GrantCreated,
    GrantRemoved,
    RequestApproved,
    RequestSubmitted,
    ReviewOutcome,
)
from sojourn.domain.identifiers import PersonId
from sojourn.testing.stored_ledger import Forgery

from .company import FACTS, MINUTE, Forgeries, Year
from .organisation import BATCH, DAY, READ, REPAIR


def _changed(**changes: Any) -> Forgery:
    return lambda event: replace(event, **changes)


async def _without_ticket(year: Year) -> None:
    forgery = {RequestSubmitted: _changed(facts=replace(FACTS, ticket=None))}
    grant = await year.worked(REPAIR, forgery)
    await year.reviewed(grant)
    year.plant(grant, "AJ")


async def _not_complete(year: Year) -> None:
    year.plant(await year.worked(READ, {RequestApproved: _changed(complete=False)}), "BJ")


async def _never_approved(year: Year) -> None:
    year.plant(await year.worked(READ, {RequestApproved: lambda _: None}), "BCDJ")


async def _approved_something_else(year: Year) -> None:
    year.plant(await year.worked(READ, {RequestApproved: _changed(digest="0" * 64)}), "CJ")


async def _approved_by_nobody_entitled(year: Year) -> None:
    year.plant(await year.worked(READ, {RequestApproved: _changed(person=PersonId("auditor"))}), "CJ")


async def _approved_oneself(year: Year) -> None:
    asking: list[PersonId] = []

    def remember(event: Any) -> Event:
        asking.append(event.person)
        return cast("Event", event)

    forgery: Forgeries = {
        RequestSubmitted: remember,
        RequestApproved: lambda event: replace(cast("RequestApproved", event), person=asking[-1]),
    }
    year.plant(await year.worked(READ, forgery), "CDJ")


async def _longer_than_approved(year: Year) -> None:
    def longer(event: Any) -> Event:
        window = replace(event.window, end=event.window.end + 60 * MINUTE)
        return cast("Event", replace(event, window=window))

    year.plant(await year.worked(READ, {GrantCreated: longer}), "EJ")


async def _used_after_the_end(year: Year) -> None:
    grant = await year.active(READ)
    year.clock.moment = grant.end
    await year.used(grant)
    await year.over_with(grant)
    year.plant(grant, "FJ")


async def _not_as_declared(year: Year) -> None:
    grant = await year.worked(REPAIR)
    outcome = ReviewOutcome.APPROPRIATE_WITH_REMARKS
    await year.reviewed(grant, outcome=outcome, answers=("yes", "no", "yes", "yes", "yes"))
    year.plant(grant, "GJ")


async def _removed_late(year: Year) -> None:
    year.plant(await year.worked(READ, lateness=10 * MINUTE), "HJ")


async def _reviewed_late(year: Year) -> None:
    grant = await year.worked(REPAIR)
    await year.reviewed(grant, after=9 * DAY)
    year.plant(grant, "IJ")


async def _found_inappropriate(year: Year) -> None:
    grant = await year.worked(REPAIR)
    await year.reviewed(grant, outcome=ReviewOutcome.INAPPROPRIATE)
    year.plant(grant, "J")


async def _shared_account_left_open(year: Year) -> None:
    year.plant(await year.worked(BATCH, {GrantRemoved: _changed(role_present=True)}), "HJL")


async def _told_nobody(year: Year) -> None:
    grant = await year.emergency({BreakGlassUsed: _changed(told=())})
    await year.reviewed(grant)
    year.plant(grant, "JM")


PLANTED: tuple[Callable[[Year], Awaitable[None]], ...] = (
    _without_ticket,
    _not_complete,
    _never_approved,
    _approved_something_else,
    _approved_by_nobody_entitled,
    _approved_oneself,
    _longer_than_approved,
    _used_after_the_end,
    _not_as_declared,
    _removed_late,
    _reviewed_late,
    _found_inappropriate,
    _shared_account_left_open,
    _told_nobody,
)
"""Everything that is planted, in turns. K is about the whole record, so it is not among them."""
