"""Break-glass: an access without a decision beforehand, for when nobody is there to decide.

- Only where a rule says so, for the short time that it allows, and only so often.
- Whoever takes it gives a reason, and has shown who they are within the last minutes.
- Those whom the rule names are told in the same record that gives the access.
- Its use is reviewed, whatever the rules say about other accesses; it is recorded like any other.
- It cannot be extended, and an overdue review does not stand in its way: an emergency does not wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sojourn.errors import Code, Refusal

from .catalogue import Adopted
from .confirmation import Confirmation
from .events import BreakGlassUsed, GrantCreated, RequestActivated, RequestSubmitted
from .identifiers import GrantId, PersonId, RequestId, RoleName, TargetName
from .policy import NO_FACTS, BreakGlass, Facts, Question, Review, Terms, lacking
from .request import REASON_LENGTH_MAX, content_digest
from .sealed import Sealed
from .window import Window

FRESH = timedelta(minutes=5)
"""For so long after showing who one is, the glass can be broken."""

REVIEW_WITHIN = timedelta(days=3)
"""When a rule does not say by when its use is reviewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakTheGlass:
    """Take `role` on `target` for `duration` now. `confirmed_at` is when the person last proved who they are."""

    request: RequestId
    grant: GrantId
    credential: str
    person: PersonId
    target: TargetName
    role: RoleName
    duration: timedelta
    reason: str
    sealed_reason: Sealed
    source: str
    confirmed_at: datetime
    facts: Facts = NO_FACTS
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What goes on record, all of it at once."""

    submitted: RequestSubmitted
    activated: RequestActivated
    created: GrantCreated
    used: BreakGlassUsed


def take(adopted: Adopted, command: BreakTheGlass, uses: tuple[BreakGlassUsed, ...], now: datetime) -> Taken | Refusal:
    """Decide whether the glass may be broken; `uses` are those of this person before, in order."""
    question = Question(
        person=command.person,
        target=command.target,
        role=command.role,
        duration=command.duration,
        moment=now,
        facts=command.facts,
        break_glass=True,
    )
    terms = adopted.judge(question)
    if isinstance(terms, Refusal):
        return terms
    assert terms.break_glass is not None, "the terms of a question about break-glass say how often"
    refusal = (
        lacking(terms, question)
        or _reason_refusal(terms, command.reason)
        or _stale(command, now)
        or _spent(terms.break_glass, uses, command.person, now)
    )
    if refusal is not None:
        return refusal
    return _taken(adopted, command, terms, terms.break_glass, now)


def _reason_refusal(terms: Terms, reason: str) -> Refusal | None:
    """A reason is always asked for, whatever the rule says."""
    if not reason.strip():
        return Refusal(Code.REQUEST_REASON_MISSING, {"rule": ", ".join(terms.rules)})
    if len(reason) > REASON_LENGTH_MAX:
        details = {"length": str(len(reason)), "limit": str(REASON_LENGTH_MAX)}
        return Refusal(Code.REQUEST_REASON_TOO_LONG, details)
    return None


def _stale(command: BreakTheGlass, now: datetime) -> Refusal | None:
    if timedelta(0) <= now - command.confirmed_at < FRESH:
        return None
    return Refusal(Code.SIGN_IN_STALE, {"person": command.person, "minutes": str(FRESH // timedelta(minutes=1))})


def _spent(glass: BreakGlass, uses: tuple[BreakGlassUsed, ...], person: PersonId, now: datetime) -> Refusal | None:
    lately = [one for one in uses if one.taken_at > now - glass.per]
    if len(lately) < glass.uses:
        return None
    details = {"person": person, "uses": str(glass.uses), "per": str(glass.per), "after": _free_again(glass, lately)}
    return Refusal(Code.BREAK_GLASS_SPENT, details)


def _free_again(glass: BreakGlass, lately: list[BreakGlassUsed]) -> str:
    """When the oldest of the uses that count stops counting."""
    if not glass.uses:
        return "a change of the rule"
    return (sorted(one.taken_at for one in lately)[-glass.uses] + glass.per).isoformat(timespec="seconds")


def _taken(adopted: Adopted, command: BreakTheGlass, terms: Terms, glass: BreakGlass, now: datetime) -> Taken:
    role = adopted.catalogue.role(command.target, command.role)
    account = role.account if role is not None else ""
    told = tuple(one for one in glass.people if one != command.person)
    review = terms.review or Review(within=REVIEW_WITHIN, people=told)
    submitted = _submitted(adopted, command, terms, review, now)
    return Taken(
        submitted=submitted,
        activated=RequestActivated(
            request=command.request, person=command.person, grant=command.grant, source=command.source
        ),
        created=GrantCreated(
            grant=command.grant,
            request=command.request,
            person=command.person,
            target=command.target,
            role=command.role,
            window=Window.starting(now, command.duration),
            credential=account or command.credential,
            configuration_version=adopted.version,
            break_glass=True,
            review=review,
        ),
        used=BreakGlassUsed(
            person=command.person,
            request=command.request,
            grant=command.grant,
            told=told,
            taken_at=now,
            confirmed_at=command.confirmed_at,
            uses=glass.uses,
            per=glass.per,
            confirmation=command.confirmation,
        ),
    )


def _submitted(
    adopted: Adopted, command: BreakTheGlass, terms: Terms, review: Review, now: datetime
) -> RequestSubmitted:
    return RequestSubmitted(
        request=command.request,
        person=command.person,
        target=command.target,
        role=command.role,
        duration=command.duration,
        reason=command.sealed_reason,
        digest=content_digest(
            request=command.request,
            person=command.person,
            target=command.target,
            role=command.role,
            duration=command.duration,
            reason=command.sealed_reason,
            facts=command.facts,
            break_glass=True,
        ),
        rules=terms.rules,
        groups=(),
        decide_by=now + command.duration,
        activate_within=terms.activate_within,
        configuration_version=adopted.version,
        configuration_digest=adopted.digest,
        source=command.source,
        facts=command.facts,
        break_glass=True,
        review=review,
    )
