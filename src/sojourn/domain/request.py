"""A request: somebody asks for a role on a target for some time, and somebody else decides.

- Nobody decides on their own request.
- A decision counts only from a person whom the terms name *and* the configuration in force still names; that is
  asked again of every approval whenever one more is given and when the approval is spent.
- A decision names the digest of what was shown; it does not count for anything else.
- One person approves once. The first denial ends the request.
- Where the rules in force say `automatic`, the request is approved as it is asked, and its record says so.
- A request is decided once: approved, denied, withdrawn or expired. What was decided is not decided again.
- An approval is spent once, by the requester, before its time runs out, and only while a rule still allows it.
- A duration is a whole number of seconds, so that the end is exact whatever a wall clock does meanwhile.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from sojourn.errors import Code, Refusal

from .catalogue import Adopted, Catalogue
from .events import (
    Event,
    GrantCreated,
    RequestActivated,
    RequestApproved,
    RequestDenied,
    RequestExpired,
    RequestSubmitted,
    RequestWithdrawn,
)
from .identifiers import GrantId, PersonId, RequestId, RoleName, TargetName
from .policy import NO_FACTS, Facts, Question, Terms, counts, lacking, missing_in_all, undecidable
from .sealed import Sealed
from .window import Window

REASON_LENGTH_MAX = 2000


class Status(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ACTIVATED = "activated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Ask for `role` on `target` for `duration`. `sealed_reason` is `reason` in its sealed form."""

    request: RequestId
    person: PersonId
    target: TargetName
    role: RoleName
    duration: timedelta
    reason: str
    sealed_reason: Sealed
    source: str
    facts: Facts = NO_FACTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Say yes to what has this digest."""

    person: PersonId
    digest: str
    source: str
    comment: Sealed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """Say no to what has this digest."""

    person: PersonId
    digest: str
    source: str
    comment: Sealed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take the request back."""

    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activate:
    """Spend the approval: begin the access now. `credential` names the login to be made, if the role brings none."""

    person: PersonId
    grant: GrantId
    credential: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseRequest:
    """Time has passed: end the request if it is due."""


Command = Approve | Deny | Withdraw | Activate | LapseRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as its stream tells it. `due` is when it lapses if nothing happens; None once it is closed."""

    submitted: RequestSubmitted
    status: Status = Status.PENDING
    approved_by: tuple[PersonId, ...] = ()
    decided_by: PersonId | None = None
    due: datetime | None = None
    grant: GrantId | None = None

    @property
    def id(self) -> RequestId:
        """The request's id."""
        return self.submitted.request


def content_digest(
    *,
    request: RequestId,
    person: PersonId,
    target: TargetName,
    role: RoleName,
    duration: timedelta,
    reason: Sealed,
) -> str:
    """SHA-256 (hex) over everything that is asked; length-prefixed, so that no two contents share one."""
    parts = (request, person, target, role, str(duration // timedelta(microseconds=1)), reason.commitment)
    framed = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hashlib.sha256(b"sojourn/request/v1\x00" + framed).hexdigest()


def evolve(state: Request | None, event: Event) -> Request | None:
    """The request after `event`. Events of other streams leave it as it is."""
    match event:
        case RequestSubmitted():
            status = Status.PENDING if event.groups else Status.APPROVED
            return Request(submitted=event, status=status, due=event.decide_by)
        case _ if state is None:
            return None
        case RequestApproved():
            approved_by = (*state.approved_by, event.person)
            if not event.complete:
                return replace(state, approved_by=approved_by)
            return replace(
                state,
                status=Status.APPROVED,
                approved_by=approved_by,
                decided_by=event.person,
                due=event.activate_by,
            )
        case RequestDenied():
            return replace(state, status=Status.DENIED, decided_by=event.person, due=None)
        case RequestWithdrawn():
            return replace(state, status=Status.WITHDRAWN, decided_by=event.person, due=None)
        case RequestExpired():
            return replace(state, status=Status.EXPIRED, due=None)
        case RequestActivated():
            return replace(state, status=Status.ACTIVATED, grant=event.grant, due=None)
        case _:
            return state


def submit(adopted: Adopted, command: Submit, now: datetime) -> RequestSubmitted | Refusal:
    """Decide whether this may be asked, and freeze the terms it will be decided under."""
    question = Question(
        person=command.person,
        target=command.target,
        role=command.role,
        duration=command.duration,
        moment=now,
        facts=command.facts,
    )
    terms = adopted.judge(question)
    if isinstance(terms, Refusal):
        return terms
    refusal = (
        lacking(terms, question, reason_given=bool(command.reason.strip()))
        or _check_length(command)
        or undecidable(terms)
    )
    if refusal is not None:
        return refusal
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
        ),
        rules=terms.rules,
        groups=terms.groups,
        decide_by=now + (terms.decide_within if terms.groups else terms.activate_within),
        activate_within=terms.activate_within,
        configuration_version=adopted.version,
        configuration_digest=adopted.digest,
        source=command.source,
        automatic=terms.automatic,
        facts=command.facts,
    )


def _question(asked: RequestSubmitted, moment: datetime) -> Question:
    """What was asked, asked again at another moment."""
    return Question(
        person=asked.person,
        target=asked.target,
        role=asked.role,
        duration=asked.duration,
        moment=moment,
        facts=asked.facts,
    )


def _check_length(command: Submit) -> Refusal | None:
    if len(command.reason) <= REASON_LENGTH_MAX:
        return None
    return Refusal(Code.REQUEST_REASON_TOO_LONG, {"length": str(len(command.reason)), "limit": str(REASON_LENGTH_MAX)})


def decide(state: Request, command: Command, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    """What follows from `command`, or why nothing does. Pure: the same inputs give the same answer."""
    match command:
        case Approve() | Deny():
            return _judge(state, command, adopted, now)
        case Withdraw():
            return _withdraw(state, command, now)
        case Activate():
            return _activate(state, command, adopted, now)
        case LapseRequest():
            if state.due is None or now < state.due:
                return ()
            return (RequestExpired(request=state.id, due=state.due),)
        case _:
            assert_never(command)


def _open_refusal(state: Request, now: datetime, *, unless: Status = Status.PENDING) -> Refusal | None:
    """Why the request (pending, or `unless`) is no longer open, judged at this moment and not by a sweeper."""
    if state.status not in (Status.PENDING, unless):
        return Refusal(Code.REQUEST_NOT_PENDING, {"request": state.id, "status": state.status})
    if state.due is not None and now >= state.due:
        return Refusal(Code.REQUEST_EXPIRED, {"request": state.id, "at": state.due.isoformat()})
    return None


def _judge(state: Request, command: Approve | Deny, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    asked = state.submitted
    names = ", ".join(asked.approvers)
    if command.person == asked.person:
        return Refusal(Code.APPROVAL_SELF, {"person": command.person, "approvers": names})
    terms = adopted.judge(_question(asked, now))
    if isinstance(terms, Refusal) or not _counting((command.person,), asked, terms, adopted.catalogue):
        return Refusal(
            Code.APPROVAL_NOT_ENTITLED,
            {"person": command.person, "rule": ", ".join(asked.rules), "approvers": names},
        )
    refusal = _open_refusal(state, now)
    if refusal is not None:
        return refusal
    if command.digest != asked.digest:
        return Refusal(Code.REQUEST_CHANGED, {"request": state.id})
    if isinstance(command, Deny):
        return (
            RequestDenied(
                request=state.id,
                person=command.person,
                digest=command.digest,
                configuration_version=adopted.version,
                source=command.source,
                comment=command.comment,
            ),
        )
    missing = _missing(state, terms, adopted.catalogue)
    if command.person in state.approved_by:
        return Refusal(Code.APPROVAL_REPEATED, {"person": command.person, "request": state.id, "missing": str(missing)})
    return (
        RequestApproved(
            request=state.id,
            person=command.person,
            digest=command.digest,
            complete=_missing(state, terms, adopted.catalogue, command.person) == 0,
            activate_by=now + asked.activate_within,
            configuration_version=adopted.version,
            source=command.source,
            comment=command.comment,
        ),
    )


def _counting(
    people: tuple[PersonId, ...], asked: RequestSubmitted, terms: Terms, catalogue: Catalogue
) -> frozenset[PersonId]:
    """Those whose word counts: named when it was asked, still named now, still known, and not the requester."""
    return frozenset(
        person
        for person in people
        if counts(asked.groups, person)
        and counts(terms.groups, person)
        and person != asked.person
        and catalogue.person(person) is not None
    )


def _missing(state: Request, terms: Terms, catalogue: Catalogue, *more: PersonId) -> int:
    """How many approvals are still missing besides `more`, by the stricter of the terms then and the terms now."""
    counting = _counting((*state.approved_by, *more), state.submitted, terms, catalogue)
    return max(missing_in_all(state.submitted.groups, counting), missing_in_all(terms.groups, counting))


def _withdraw(state: Request, command: Withdraw, now: datetime) -> tuple[Event, ...] | Refusal:
    if command.person != state.submitted.person:
        return Refusal(Code.REQUEST_NOT_YOURS, {"request": state.id, "owner": state.submitted.person})
    refusal = _open_refusal(state, now, unless=Status.APPROVED)
    if refusal is not None:
        return refusal
    return (RequestWithdrawn(request=state.id, person=command.person, source=command.source),)


def _activate(state: Request, command: Activate, adopted: Adopted, now: datetime) -> tuple[Event, ...] | Refusal:
    asked = state.submitted
    if command.person != asked.person:
        return Refusal(Code.REQUEST_NOT_YOURS, {"request": state.id, "owner": asked.person})
    if state.status is Status.ACTIVATED:
        return Refusal(Code.REQUEST_ALREADY_ACTIVATED, {"request": state.id, "grant": state.grant or ""})
    if state.status is not Status.APPROVED:
        return Refusal(Code.REQUEST_NOT_APPROVED, {"request": state.id, "status": state.status})
    if state.due is not None and now >= state.due:
        return Refusal(Code.REQUEST_EXPIRED, {"request": state.id, "at": state.due.isoformat()})
    question = _question(asked, now)
    terms = adopted.judge(question)
    if isinstance(terms, Refusal):
        return terms
    missing = _missing(state, terms, adopted.catalogue)
    if missing > 0:
        status = f"{missing} approvals short of what the policy in force asks for"
        return Refusal(Code.REQUEST_NOT_APPROVED, {"request": state.id, "status": status})
    refusal = lacking(terms, question)
    if refusal is not None:
        return refusal
    role = adopted.catalogue.role(asked.target, asked.role)
    account = role.account if role is not None else ""
    return (
        RequestActivated(request=state.id, person=command.person, grant=command.grant, source=command.source),
        GrantCreated(
            grant=command.grant,
            request=state.id,
            person=asked.person,
            target=asked.target,
            role=asked.role,
            window=Window.starting(now, asked.duration),
            credential=account or command.credential,
            configuration_version=adopted.version,
        ),
    )
