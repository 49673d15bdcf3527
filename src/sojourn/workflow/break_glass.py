"""Break the glass: take an access without a decision beforehand. What is taken, and who is told, is one append."""

from __future__ import annotations

from datetime import datetime, timedelta

from sojourn.domain import break_glass as glass
from sojourn.domain.break_glass import BreakTheGlass
from sojourn.domain.confirmation import Confirmation
from sojourn.domain.events import BreakGlassUsed
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change
from sojourn.domain.identifiers import (
    GrantId,
    PersonId,
    RequestId,
    RoleName,
    TargetName,
    break_glass_stream,
    grant_stream,
    request_stream,
)
from sojourn.domain.policy import NO_FACTS, Facts
from sojourn.errors import Code, Refusal, SojournError

from .activate import credential_for
from .deciding import TRIES_MAX, Attempt, append_unless_stale, refuse, shown
from .ports import Access, Office
from .submit import too_long


async def break_glass(
    office: Office,
    *,
    person: PersonId,
    target: TargetName,
    role: RoleName,
    duration: timedelta,
    reason: str,
    confirmed_at: datetime,
    source: str,
    facts: Facts = NO_FACTS,
    confirmation: Confirmation | None = None,
) -> Grant | Refusal:
    """Take the access now. `confirmed_at` is when `person` last proved who they are, which was minutes ago at most.

    Gives the grant, still to be provisioned, or why not (on record as an attempt). `reason` is sealed. Raises
    SojournError from the ledger; after `record.unavailable` the grant may exist.
    """
    attempt = Attempt(verb="break_glass", actor=person, source=source)
    subject = f"target/{shown(target)}"
    for tried in range(TRIES_MAX):
        adopted = office.in_force()
        if adopted.catalogue.person(person) is None:
            return await refuse(office, attempt, subject, Refusal(Code.PERSON_UNKNOWN, {"person": shown(person)}))
        refusal = too_long(reason)
        if refusal is not None:
            return await refuse(office, attempt, subject, refusal)
        entries = await office.ledger.stream(break_glass_stream(person))
        uses = tuple(one.event for one in entries if isinstance(one.event, BreakGlassUsed))
        sealing = office.sealer.seal(person, reason.encode("utf-8", "backslashreplace"))
        grant, now = GrantId(office.new_id("g")), office.clock.now()
        command = BreakTheGlass(
            request=RequestId(office.new_id("r")),
            grant=grant,
            credential=credential_for(grant),
            person=person,
            target=target,
            role=role,
            duration=duration,
            reason=reason,
            sealed_reason=sealing.sealed,
            source=shown(source),
            confirmed_at=confirmed_at,
            facts=office.gather(facts, Access(person=person, target=target, role=role), now),
            confirmation=confirmation,
        )
        taken = glass.take(adopted, command, uses, now)
        if isinstance(taken, Refusal):
            return await refuse(office, attempt, subject, taken)
        changes = (
            Change(stream=request_stream(command.request), event=taken.submitted, seen=0),
            Change(stream=request_stream(command.request), event=taken.activated, seen=1),
            Change(stream=grant_stream(grant), event=taken.created, seen=0),
            Change(stream=break_glass_stream(person), event=taken.used, seen=len(entries)),
        )
        if await append_unless_stale(office, tried, changes, (sealing,), adopted):
            return Grant(created=taken.created)
    raise SojournError(Code.RECORD_STALE, stream=break_glass_stream(person))
