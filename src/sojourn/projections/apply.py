"""What each event means for the read models: one entry of the ledger in, statements out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Executable, insert, update

from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    AttemptRefused,
    Event,
    GrantCreated,
    GrantEnded,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemoved,
    RequestActivated,
    RequestApproved,
    RequestDenied,
    RequestExpired,
    RequestSubmitted,
    RequestWithdrawn,
    SessionClosed,
    SessionOpened,
)
from sojourn.domain.history import Recorded

from . import tables as t


def text(moment: datetime) -> str:
    """A moment as the tables hold it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def changes(recorded: Recorded) -> Iterator[Executable]:
    """The statements that fold one entry into the tables."""
    match recorded.stream.partition("/")[0]:
        case "request":
            yield from _request(recorded.event, recorded)
        case "grant":
            yield from _grant(recorded.event, recorded)
        case "session":
            yield from _session(recorded.event, recorded)
        case "attempts":
            yield from _attempt(recorded.event, recorded)


def _request(event: Event, recorded: Recorded) -> Iterator[Executable]:
    at = text(recorded.at)
    match event:
        case RequestSubmitted():
            yield insert(t.request).values(
                id=event.request,
                person=event.person,
                target=event.target,
                role=event.role,
                seconds=int(event.duration.total_seconds()),
                reason=event.reason.commitment,
                digest=event.digest,
                rules=", ".join(event.rules),
                approvals=event.approvals,
                status="pending" if event.groups else "approved",
                submitted_at=at,
                due=text(event.decide_by),
                seq=recorded.seq,
            )
            for person in event.approvers:
                yield insert(t.approver).values(request=event.request, person=person)
        case RequestApproved() | RequestDenied():
            denied = isinstance(event, RequestDenied)
            yield (
                update(t.approver)
                .where(t.approver.c.request == event.request, t.approver.c.person == event.person)
                .values(
                    decision="denied" if denied else "approved",
                    decided_at=at,
                    comment=event.comment.commitment if event.comment is not None else None,
                )
            )
            if isinstance(event, RequestDenied):
                yield _set_request(event.request, status="denied", decided_at=at, due=None)
            elif event.complete:
                due = text(event.activate_by)
                yield _set_request(event.request, status="approved", decided_at=at, due=due)
        case RequestWithdrawn():
            yield _set_request(event.request, status="withdrawn", due=None)
        case RequestExpired():
            yield _set_request(event.request, status="expired", due=None)
        case RequestActivated():
            yield _set_request(event.request, status="activated", due=None, grant=event.grant)


def _set_request(request: str, **values: object) -> Executable:
    return update(t.request).where(t.request.c.id == request).values(**values)


def _grant(event: Event, recorded: Recorded) -> Iterator[Executable]:
    at = text(recorded.at)
    match event:
        case GrantCreated():
            yield insert(t.grant).values(
                id=event.grant,
                request=event.request,
                person=event.person,
                target=event.target,
                role=event.role,
                start=text(event.window.start),
                end=text(event.window.end),
                credential=event.credential,
                status="provisioning",
                seq=recorded.seq,
            )
        case GrantProvisioned():
            yield _set_grant(event.grant, status="active", observed="\n".join(event.observed))
        case GrantEnded():
            yield _set_grant(
                event.grant,
                status="ended",
                cause=event.cause,
                ended_by=event.ended_by,
                ended_at=at,
                problem=event.problem or None,
            )
        case GrantRemovalFailed():
            yield _set_grant(event.grant, problem=event.problem)
        case GrantRemoved():
            yield _set_grant(event.grant, status="removed", removed_at=at)


def _set_grant(grant: str, **values: object) -> Executable:
    return update(t.grant).where(t.grant.c.id == grant).values(**values)


def _session(event: Event, recorded: Recorded) -> Iterator[Executable]:
    at = text(recorded.at)
    match event:
        case SessionOpened():
            yield insert(t.session).values(
                id=event.session,
                grant=event.grant,
                person=event.person,
                target=event.target,
                role=event.role,
                source=event.source,
                application=event.application,
                opened_at=at,
                actions=0,
                seq=recorded.seq,
            )
        case ActionIntended():
            yield insert(t.action).values(
                session=event.session,
                number=event.number,
                intended_at=at,
                verb=event.verb,
                may_write=int(event.may_write),
                objects=", ".join(event.objects),
                detail=event.detail.commitment,
                seq=recorded.seq,
            )
            yield (update(t.session).where(t.session.c.id == event.session).values(actions=event.number))
        case ActionCompleted():
            yield (
                update(t.action)
                .where(t.action.c.session == event.session, t.action.c.number == event.number)
                .values(
                    outcome=event.outcome,
                    tags=", ".join(event.tags),
                    sqlstate=event.sqlstate,
                    rows=event.rows,
                    bytes_out=event.bytes_out,
                    duration_us=event.duration_us,
                    message=event.message.commitment if event.message is not None else None,
                )
            )
        case SessionClosed():
            yield (
                update(t.session)
                .where(t.session.c.id == event.session)
                .values(closed_at=at, cause=event.cause, cut_lag_us=event.cut_lag_us)
            )


def _attempt(event: Event, recorded: Recorded) -> Iterator[Executable]:
    if isinstance(event, AttemptRefused):
        yield insert(t.attempt).values(
            seq=recorded.seq,
            at=text(recorded.at),
            verb=event.verb,
            actor=event.actor,
            code=event.code,
            subject=event.subject,
            source=event.source,
            details=msgspec.json.encode(dict(event.details), order="sorted").decode(),
        )
