"""What each event means for the read models: one entry of the ledger in, rows out through a `Writer`."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    ApprovalWithdrawn,
    AttemptRefused,
    ChunkRecorded,
    Event,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantProlonged,
    GrantProlongingFailed,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
    RequestActivated,
    RequestApproved,
    RequestCommented,
    RequestDenied,
    RequestEscalated,
    RequestExpired,
    RequestRevised,
    RequestSubmitted,
    RequestWithdrawn,
    SessionClosed,
    SessionConnected,
    SessionOpened,
    TokenIssued,
    TokenRevoked,
)
from sojourn.domain.history import Recorded

from . import tables as t
from .assurance import fold_assurance
from .facts import fold_fact
from .looked import fold_target
from .moments import text
from .writer import Writer


def fold(recorded: Recorded, write: Writer) -> None:
    """Fold one entry into the tables."""
    match recorded.stream.partition("/")[0]:
        case "session":
            _session(recorded.event, recorded, write)
        case "request":
            _request(recorded.event, recorded, write)
        case "grant":
            _grant(recorded.event, recorded, write)
        case "token":
            _token(recorded.event, recorded, write)
        case "break_glass" | "review" | "campaign" | "standing":
            fold_assurance(recorded, write)
        case "attempts":
            _attempt(recorded.event, recorded, write)
        case "fact":
            fold_fact(recorded.event, recorded, write)
        case "target" | "exception":
            fold_target(recorded, write)


def _request(event: Event, recorded: Recorded, write: Writer) -> None:
    at = text(recorded.at)
    match event:
        case RequestSubmitted():
            _submitted(event, recorded, write)
        case RequestRevised():
            _revised(event, write)
        case RequestApproved() | RequestDenied():
            _decided(event, at, write)
        case RequestCommented():
            _commented(event, at, write)
        case RequestEscalated():
            _set_request(write, event.request, escalated_at=at)
            for person in event.people:
                write.insert_new(t.approver, {"request": event.request, "person": person})
        case ApprovalWithdrawn():
            place = {"request": event.request, "person": event.on_behalf_of or event.person}
            taken = {"decision": None, "decided_at": None, "comment": None, "acted": None}
            write.update(t.approver, place, taken)
            _set_request(write, event.request, status="pending", decided_at=None, due=text(event.decide_by))
        case RequestWithdrawn():
            _set_request(write, event.request, status="withdrawn", due=None)
        case RequestExpired():
            _set_request(write, event.request, status="expired", due=None, cause=event.cause)
        case RequestActivated():
            _set_request(write, event.request, status="activated", due=None, grant=event.grant)


def _submitted(event: RequestSubmitted, recorded: Recorded, write: Writer) -> None:
    values = {"id": event.request, "submitted_at": text(recorded.at), "revision": 1, "seq": recorded.seq}
    write.insert(t.request, {**values, **_content(event)})
    for person in event.approvers:
        write.insert(t.approver, {"request": event.request, "person": person})


def _revised(event: RequestRevised, write: Writer) -> None:
    """Another content: whoever said yes said it to something else."""
    changed = {**_content(event.content), "revision": event.revision, "decided_at": None, "escalated_at": None}
    write.update(t.request, {"id": event.request}, changed)
    write.delete(t.approver, {"request": event.request})
    for person in event.content.approvers:
        write.insert(t.approver, {"request": event.request, "person": person})


def _content(event: RequestSubmitted) -> dict[str, object]:
    """What is asked, and under which terms."""
    return {
        "person": event.person,
        "target": event.target,
        "role": event.role,
        "seconds": int(event.duration.total_seconds()),
        "reason": event.reason.commitment,
        "digest": event.digest,
        "rules": ", ".join(event.rules),
        "approvals": event.approvals,
        "status": "pending" if event.groups else "approved",
        "due": text(event.decide_by),
        "start": _maybe(event.start),
        "extends": event.extends,
        "since": _maybe(event.since),
        "break_glass": int(event.break_glass),
        "automatic": event.automatic,
        "escalate_at": _maybe(event.escalate_at),
        "facts": msgspec.json.encode(event.facts, order="sorted").decode(),
        "groups": msgspec.json.encode(event.groups, order="sorted").decode(),
    }


def _maybe(moment: datetime | None) -> str | None:
    return None if moment is None else text(moment)


def _decided(event: RequestApproved | RequestDenied, at: str, write: Writer) -> None:
    denied = isinstance(event, RequestDenied)
    place = event.on_behalf_of or event.person
    decision = {
        "decision": "denied" if denied else "approved",
        "decided_at": at,
        "comment": event.comment.commitment if event.comment is not None else None,
        "acted": event.person,
    }
    write.insert_new(t.approver, {"request": event.request, "person": place})
    write.update(t.approver, {"request": event.request, "person": place}, decision)
    if isinstance(event, RequestDenied):
        _set_request(write, event.request, status="denied", decided_at=at, due=None)
    elif event.complete:
        _set_request(write, event.request, status="approved", decided_at=at, due=text(event.activate_by))


def _commented(event: RequestCommented, at: str, write: Writer) -> None:
    values = {
        "request": event.request,
        "number": event.number,
        "person": event.person,
        "at": at,
        "text": event.text.commitment,
        "question": int(event.question),
        "answers": event.answers,
        "answered": 0,
    }
    write.insert(t.comment, values)
    if event.answers is not None:
        write.update(t.comment, {"request": event.request, "number": event.answers}, {"answered": 1})


def _set_request(write: Writer, request: str, **values: object) -> None:
    write.update(t.request, {"id": request}, values)


def _grant(event: Event, recorded: Recorded, write: Writer) -> None:
    at = text(recorded.at)
    match event:
        case GrantCreated():
            _created(event, recorded, write)
        case GrantProvisioned():
            _set_grant(write, event.grant, status="active", observed="\n".join(event.observed))
        case GrantEnded():
            _set_grant(
                write,
                event.grant,
                status="ended",
                cause=event.cause,
                ended_by=event.ended_by,
                ended_at=at,
                problem=event.problem or None,
            )
        case GrantExtended():
            write.count(t.grant, {"id": event.grant}, "extended")
            _set_grant(write, event.grant, end=text(event.until))
        case GrantProlonged():
            _set_grant(write, event.grant, prolonged_to=text(event.until), problem=None)
        case GrantRemovalFailed() | GrantProlongingFailed():
            _set_grant(write, event.grant, problem=event.problem)
        case GrantRemovalOverdue():
            _set_grant(write, event.grant, overdue_since=text(event.since))
        case GrantRemoved():
            leftovers = "\n".join(event.left) or None
            _set_grant(write, event.grant, status="removed", removed_at=at, leftovers=leftovers)


def _created(event: GrantCreated, recorded: Recorded, write: Writer) -> None:
    write.insert(
        t.grant,
        {
            "id": event.grant,
            "request": event.request,
            "person": event.person,
            "target": event.target,
            "role": event.role,
            "start": text(event.window.start),
            "end": text(event.window.end),
            "credential": event.credential,
            "status": "provisioning",
            "extended": 0,
            "break_glass": int(event.break_glass),
            "review_within": None if event.review is None else int(event.review.within.total_seconds()),
            "seq": recorded.seq,
        },
    )


def _set_grant(write: Writer, grant: str, **values: object) -> None:
    write.update(t.grant, {"id": grant}, values)


def _session(event: Event, recorded: Recorded, write: Writer) -> None:
    match event:
        case ActionIntended():
            columns = (
                text(recorded.at),
                event.verb,
                int(event.may_write),
                ", ".join(event.objects),
                event.detail.commitment,
            )
            write.intend(event.session, event.number, columns, recorded.seq)
        case ActionCompleted():
            completion = (
                event.outcome,
                ", ".join(event.tags),
                event.sqlstate,
                event.rows,
                event.bytes_out,
                event.duration_us,
                event.message.commitment if event.message is not None else None,
            )
            write.complete(event.session, event.number, completion)
        case SessionOpened():
            values = {
                "id": event.session,
                "grant": event.grant,
                "person": event.person,
                "target": event.target,
                "role": event.role,
                "source": event.source,
                "application": event.application,
                "opened_at": text(recorded.at),
                "actions": 0,
                "seq": recorded.seq,
            }
            write.insert(t.session, values)
        case ChunkRecorded():
            place = {"session": event.session, "number": event.number, "part": event.part}
            write.insert(t.chunk, {**place, "size": event.size, "content": event.content.commitment})
        case SessionConnected():
            values = {"seq": recorded.seq, "session": event.session, "process": event.process, "at": text(recorded.at)}
            write.insert(t.reached, values)
        case SessionClosed():
            closed = {"closed_at": text(recorded.at), "cause": event.cause, "cut_lag_us": event.cut_lag_us}
            write.update(t.session, {"id": event.session}, closed)


def _token(event: Event, recorded: Recorded, write: Writer) -> None:
    match event:
        case TokenIssued():
            values = {
                "id": event.token,
                "person": event.person,
                "purpose": event.purpose,
                "issued_at": text(recorded.at),
                "expires_at": text(event.expires_at),
                "seq": recorded.seq,
            }
            write.insert(t.token, values)
        case TokenRevoked():
            write.update(t.token, {"id": event.token}, {"revoked_at": text(recorded.at)})


def _attempt(event: Event, recorded: Recorded, write: Writer) -> None:
    if isinstance(event, AttemptRefused):
        values = {
            "seq": recorded.seq,
            "at": text(recorded.at),
            "verb": event.verb,
            "actor": event.actor,
            "code": event.code,
            "subject": event.subject,
            "source": event.source,
            "details": msgspec.json.encode(dict(event.details), order="sorted").decode(),
        }
        write.insert(t.attempt, values)
