"""Asking: for an access, for more time of one, or for something else than before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import Event, RequestRevised, RequestSubmitted
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName, TargetName
from sojourn.domain.policy import Facts, Question, Terms, lacking, undecidable
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal

from .commands import Revise, Submit, SubmitExtension
from .content import REASON_LENGTH_MAX, content_digest, question
from .state import Request, Status

START_MAX = timedelta(days=31)
REVISIONS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is asked, however it was said."""

    request: RequestId
    person: PersonId
    target: TargetName
    role: RoleName
    duration: timedelta
    reason: str
    sealed_reason: Sealed
    source: str
    facts: Facts
    start: datetime | None = None
    extends: GrantId | None = None
    since: datetime | None = None


def submit(adopted: Adopted, command: Submit, now: datetime) -> RequestSubmitted | Refusal:
    """Decide whether this may be asked, and freeze the terms it will be decided under."""
    asked = _Asked(
        request=command.request,
        person=command.person,
        target=command.target,
        role=command.role,
        duration=command.duration,
        reason=command.reason,
        sealed_reason=command.sealed_reason,
        source=command.source,
        facts=command.facts,
        start=command.start,
    )
    return _content(adopted, asked, now)


def submit_extension(
    adopted: Adopted, grant: Grant, command: SubmitExtension, now: datetime
) -> RequestSubmitted | Refusal:
    """Decide whether more time may be asked for; what is asked is the span that follows the grant's present end."""
    created = grant.created
    if command.person != created.person:
        return Refusal(Code.GRANT_NOT_YOURS, {"grant": grant.id, "owner": created.person})
    refusal = grant.over(now)
    if refusal is not None:
        return refusal
    if created.break_glass:
        return Refusal(Code.GRANT_NOT_EXTENDABLE, {"grant": grant.id})
    asked = _Asked(
        request=command.request,
        person=command.person,
        target=created.target,
        role=created.role,
        duration=command.duration,
        reason=command.reason,
        sealed_reason=command.sealed_reason,
        source=command.source,
        facts=command.facts,
        extends=grant.id,
        since=grant.end,
    )
    return _content(adopted, asked, now)


def revise(state: Request, command: Revise, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    """Ask for something else instead. It is decided anew: what was approved was something else."""
    asked = state.submitted
    if command.person != asked.person:
        return Refusal(Code.REQUEST_NOT_YOURS, {"request": state.id, "owner": asked.person})
    if state.status not in (Status.PENDING, Status.APPROVED):
        return Refusal(Code.REQUEST_NOT_PENDING, {"request": state.id, "status": state.status})
    if state.due is not None and now >= state.due:
        return Refusal(Code.REQUEST_EXPIRED, {"request": state.id, "at": state.due.isoformat()})
    if state.revision >= REVISIONS_MAX:
        return Refusal(Code.REQUEST_REVISED_OFTEN, {"request": state.id, "limit": str(REVISIONS_MAX)})
    if asked.extends is not None and (command.target, command.role) != (asked.target, asked.role):
        return Refusal(Code.REQUEST_EXTENSION_FIXED, {"request": state.id, "grant": asked.extends})
    content = _content(
        adopted,
        _Asked(
            request=state.id,
            person=command.person,
            target=command.target,
            role=command.role,
            duration=command.duration,
            reason=command.reason,
            sealed_reason=command.sealed_reason,
            source=command.source,
            facts=command.facts,
            start=None if asked.extends is not None else command.start,
            extends=asked.extends,
            since=asked.since,
        ),
        now,
    )
    if isinstance(content, Refusal):
        return content
    return (
        RequestRevised(
            request=state.id,
            person=command.person,
            revision=state.revision + 1,
            content=content,
            source=command.source,
        ),
    )


def narrowed(
    asked: RequestSubmitted, *, role: RoleName, duration: timedelta, adopted: Adopted, now: datetime
) -> RequestSubmitted | Refusal:
    """The same request for a narrower role or a shorter time, under the terms that this has now."""
    less = replace(asked, role=role, duration=duration)
    terms = adopted.judge(question(less, now))
    if isinstance(terms, Refusal):
        return terms
    refusal = lacking(terms, question(less, now)) or undecidable(terms)
    if refusal is not None:
        return refusal
    digest = content_digest(
        request=less.request,
        person=less.person,
        target=less.target,
        role=less.role,
        duration=less.duration,
        reason=less.reason,
        facts=less.facts,
        start=less.start,
        extends=less.extends,
        since=less.since,
    )
    return _frozen(replace(less, digest=digest, decide_by=asked.decide_by), terms, adopted, now)


def _content(adopted: Adopted, asked: _Asked, now: datetime) -> RequestSubmitted | Refusal:
    refusal = _start_refusal(asked, now) or blocked(adopted, asked.person)
    if refusal is not None:
        return refusal
    moment = now if asked.start is None else asked.start
    asking = Question(
        person=asked.person,
        target=asked.target,
        role=asked.role,
        duration=asked.duration,
        moment=moment,
        facts=asked.facts,
    )
    terms = adopted.judge(asking)
    if isinstance(terms, Refusal):
        return terms
    refusal = (
        lacking(terms, asking, reason_given=bool(asked.reason.strip())) or _length(asked.reason) or undecidable(terms)
    )
    if refusal is not None:
        return refusal
    limit = _limit(asked)
    decide_by = now + (terms.decide_within if terms.groups else terms.activate_within)
    if asked.start is not None and not terms.groups and limit is not None:
        decide_by = limit
    content = RequestSubmitted(
        request=asked.request,
        person=asked.person,
        target=asked.target,
        role=asked.role,
        duration=asked.duration,
        reason=asked.sealed_reason,
        digest=content_digest(
            request=asked.request,
            person=asked.person,
            target=asked.target,
            role=asked.role,
            duration=asked.duration,
            reason=asked.sealed_reason,
            facts=asked.facts,
            start=asked.start,
            extends=asked.extends,
            since=asked.since,
        ),
        rules=terms.rules,
        groups=terms.groups,
        decide_by=decide_by if limit is None else min(decide_by, limit),
        activate_within=terms.activate_within,
        configuration_version=adopted.version,
        configuration_digest=adopted.digest,
        source=asked.source,
        facts=asked.facts,
        start=asked.start,
        extends=asked.extends,
        since=asked.since,
    )
    return _frozen(content, terms, adopted, now)


def _frozen(content: RequestSubmitted, terms: Terms, adopted: Adopted, now: datetime) -> RequestSubmitted:
    """The content under these terms."""
    escalation = terms.escalation if terms.groups else None
    return replace(
        content,
        rules=terms.rules,
        groups=terms.groups,
        activate_within=terms.activate_within,
        configuration_version=adopted.version,
        configuration_digest=adopted.digest,
        automatic=terms.automatic,
        escalate_at=None if escalation is None else now + escalation.after,
        escalate_to=() if escalation is None else escalation.people,
        review=terms.review,
    )


def _limit(asked: _Asked) -> datetime | None:
    """When it is of no use any more: a planned span is over, or the grant that should last longer."""
    if asked.start is not None:
        return asked.start + asked.duration
    return asked.since


def _start_refusal(asked: _Asked, now: datetime) -> Refusal | None:
    if asked.start is None or now < asked.start <= now + START_MAX:
        return None
    details = {"asked": asked.start.isoformat(), "days": str(START_MAX.days)}
    return Refusal(Code.REQUEST_START_INVALID, details)


def blocked(adopted: Adopted, person: PersonId) -> Refusal | None:
    """Nothing new while a review of the person's team is overdue."""
    blocking = adopted.standing.blocking(person, adopted.catalogue.teams)
    if not blocking:
        return None
    return Refusal(Code.REVIEW_OVERDUE, {"person": person, "grants": ", ".join(blocking[:5])})


def _length(reason: str) -> Refusal | None:
    """The refusal for a reason over the limit."""
    if len(reason) <= REASON_LENGTH_MAX:
        return None
    return Refusal(Code.REQUEST_REASON_TOO_LONG, {"length": str(len(reason)), "limit": str(REASON_LENGTH_MAX)})
