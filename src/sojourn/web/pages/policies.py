"""The policy in force as an auditor reads it, who can get what by it, and changes that take two people."""

from __future__ import annotations

from sojourn.web.api import configuration, policy
from sojourn.web.exchange import Exchange

from .confirming import ways
from .frame import Onward, Shown, form, show


async def rendered(exchange: Exchange) -> Shown:
    """GET /policy: the table of the rules."""
    return show("policy.html", policy=await policy.rendered(exchange), force=await configuration.in_force(exchange))


async def who_can(exchange: Exchange) -> Shown:
    """GET /policy/who-can?target=…&role=…: exactly who, and by which rules."""
    await exchange.caller()
    target, role = exchange.query("target") or "", exchange.query("role") or ""
    shown = await policy.rendered(exchange)
    found = await policy.reach(exchange) if target else None
    kept = exchange.services.office.in_force().catalogue.targets
    return show("who_can.html", found=found, target=target, role=role, targets=kept, version=shown.version)


async def changes(exchange: Exchange) -> Shown:
    """GET /policy/changes: what was proposed."""
    caller = await exchange.caller()
    return show("changes.html", found=await configuration.listing(exchange), proposes=caller.administrator)


async def change(exchange: Exchange) -> Shown:
    """GET /policy/changes/{name}: what it means for people, and the second yes."""
    found = await configuration.one(exchange)
    return show("change.html", change=found, confirms=await ways(exchange) if found.decidable else None)


async def draft(exchange: Exchange) -> Shown:
    """GET /policy/propose: the files in force, to be edited."""
    await exchange.caller()
    return show("propose.html", files=(await configuration.files(exchange)).files)


async def propose(exchange: Exchange) -> Onward:
    """POST /policy/propose: the edited files, as a change that a second person has to approve."""
    made = await configuration.propose(exchange)
    return Onward(path=f"/policy/changes/{made.change}")


approve = form(configuration.approve, lambda made: f"/policy/changes/{made.change}")
withdraw = form(configuration.withdraw, lambda made: f"/policy/changes/{made.change}")
