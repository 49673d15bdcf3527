"""What is asked, as one value with one digest: what a decision counts for, and nothing else."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sojourn.domain.events import RequestSubmitted
from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName, TargetName
from sojourn.domain.policy import NO_FACTS, Facts, Question
from sojourn.domain.sealed import Sealed

REASON_LENGTH_MAX = 2000


def content_digest(
    *,
    request: RequestId,
    person: PersonId,
    target: TargetName,
    role: RoleName,
    duration: timedelta,
    reason: Sealed,
    facts: Facts = NO_FACTS,
    start: datetime | None = None,
    extends: GrantId | None = None,
    since: datetime | None = None,
    break_glass: bool = False,
) -> str:
    """SHA-256 (hex) over everything that is asked; length-prefixed, so that no two contents share one."""
    ticket = facts.ticket
    parts = (
        request,
        person,
        target,
        role,
        str(duration // timedelta(microseconds=1)),
        reason.commitment,
        _moment(start),
        extends or "",
        _moment(since),
        "break-glass" if break_glass else "",
        facts.reason_code,
        facts.incident or facts.incident_named,
        *((facts.ticket_named, "", "") if ticket is None else (ticket.id, ticket.kind, ticket.state)),
        *facts.activities,
    )
    framed = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hashlib.sha256(b"sojourn/request/v2\x00" + framed).hexdigest()


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def question(asked: RequestSubmitted, now: datetime) -> Question:
    """What was asked, asked of the policy again: for now, or for its planned start while that is still to come."""
    return Question(
        person=asked.person,
        target=asked.target,
        role=asked.role,
        duration=asked.duration,
        moment=now if asked.start is None else max(now, asked.start),
        facts=asked.facts,
        break_glass=asked.break_glass,
    )
