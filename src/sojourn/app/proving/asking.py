"""Negative tests of how an access is asked for, decided on and over."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from sojourn.domain.duration import format_duration
from sojourn.domain.events import AttemptRefused, ProbeTried
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import ATTEMPTS
from sojourn.domain.target import TargetKind

from .bench import REASON, RECORD_SECONDS, Bench, Untried

LIFE = "10s"
"""How long the access lasts whose end is tried: long enough to be made and shown to work."""


async def self_approval(bench: Bench) -> ProbeTried:
    """The requester approves their own request."""
    start = await bench.ledger.size()
    asked = await bench.submitted("1m")
    path = f"/requests/{asked['request']}"
    doing = bench.ask(bench.requester, "POST", f"{path}/approve", {"digest": asked["digest"]})
    found = await bench.refused("self-approval", start, doing, f"{bench.requester} approved their own request")
    await bench.ask(bench.requester, "POST", f"{path}/withdraw")
    return found


async def unapproved(bench: Bench) -> ProbeTried:
    """The requester begins an access that nobody has approved."""
    start = await bench.ledger.size()
    asked = await bench.submitted("1m")
    path = f"/requests/{asked['request']}"
    doing = bench.ask(bench.requester, "POST", f"{path}/activate")
    found = await bench.refused("unapproved-access", start, doing, f"{bench.requester} began it without an approval")
    await bench.ask(bench.requester, "POST", f"{path}/withdraw")
    return found


async def missing_ticket(bench: Bench) -> ProbeTried | Untried:
    """Somebody asks without the ticket that the rules ask for."""
    name, policy = "missing-ticket", bench.adopted.policy
    for (target, role), lines in policy.offered.items():
        mine = [line for line in lines if bench.requester in line.who and line.rule.break_glass is None]
        if target != bench.target.name or not mine or not any(line.requirements.tickets for line in mine):
            continue
        start, span = await bench.ledger.size(), format_duration(min(line.rule.longest for line in mine))
        asking = any(line.requirements.reason_codes or line.requirements.activities for line in mine)
        body: dict[str, Any] = {"target": target, "role": role, "duration": span, "reason": REASON}
        if asking:
            body["reason_code"] = next((code for line in mine for code in line.requirements.reason_codes or ()), "")
            body["activities"] = [one for line in mine for one in (line.requirements.activities or ())[:1]]
        doing = bench.ask(bench.requester, "POST", "/requests", body)
        return await bench.refused(name, start, doing, f"{bench.requester} asked for {role} without a ticket")
    return Untried(
        name=name, why=f"no rule that lets {bench.requester} ask for a role on the sandbox asks for a ticket"
    )


async def not_eligible(bench: Bench) -> ProbeTried | Untried:
    """Somebody asks for a role that no rule lets them ask for."""
    name = "not-eligible"
    for role in bench.target.roles:
        for person in (bench.requester, bench.approver):
            if not bench.adopted.eligible(person, bench.target.name, role.name):
                start = await bench.ledger.size()
                body = {"target": bench.target.name, "role": role.name, "duration": "1m", "reason": REASON}
                doing = bench.ask(person, "POST", "/requests", body)
                return await bench.refused(name, start, doing, f"{person} asked for {role.name}, which is not theirs")
    return Untried(name=name, why="both accounts may ask for every role on the sandbox")


async def expired(bench: Bench) -> ProbeTried | Untried:
    """The holder connects after the end of the access, with what let them in before it."""
    name = "expired-grant"
    if bench.target.kind is not TargetKind.POSTGRES:
        return Untried(name=name, why=f"the kit has no client for a target of kind {bench.target.kind}")
    asked = await bench.submitted(LIFE)
    path = f"/requests/{asked['request']}"
    await bench.ask(bench.approver, "POST", f"{path}/approve", {"digest": asked["digest"]})
    place = f"/targets/{bench.target.name}/connection"
    form = await bench.ask(bench.requester, "POST", place, {"role": bench.role})
    within = await asyncio.to_thread(_connects, form)
    if within:
        found = f"it could not connect within the access: {within}"
        return ProbeTried(name=name, passed=False, found=found, entries=())
    start = await bench.ledger.size()
    await _until(form["grant_end"])
    after = await asyncio.to_thread(_connects, form)
    if not after:
        found = f"{bench.requester} connected after the end at {form['grant_end']}"
        return ProbeTried(name=name, passed=False, found=found, entries=())

    def refused(one: Recorded) -> bool:
        event = one.event
        return isinstance(event, AttemptRefused) and event.verb == "connect" and bench.requester in event.actor

    entries = await bench.awaited(start, (ATTEMPTS,), refused, RECORD_SECONDS)
    found = f"connected within the access, refused after its end: {after}"
    return ProbeTried(name=name, passed=bool(entries), found=found, entries=entries)


async def _until(end: str) -> None:
    """Wait for a moment, by the clock that grants end by."""
    from sojourn.app.ambient import SystemClock

    left = (datetime.fromisoformat(end) - SystemClock().now()).total_seconds()
    await asyncio.sleep(max(0.0, left) + 0.2)


def _connects(form: dict[str, Any]) -> str:
    """Connect and ask something; empty if that works, else why not."""
    import psycopg

    try:
        with psycopg.connect(form["url"], connect_timeout=10) as connection:
            connection.execute("select 1")
    except psycopg.Error as error:
        return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
    return ""
