"""Which entry is told as what. Nothing sealed is opened: reasons and statements stay commitments."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    AttemptRefused,
    Event,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
    Outcome,
    PublicationOverdue,
    PublicationRefused,
    RequestDenied,
    RequestExpired,
    RequestSubmitted,
    RequestWithdrawn,
    ReviewOpened,
    ReviewOverdue,
    SessionClosed,
    SessionOpened,
    TargetReconciled,
    TargetUnobserved,
)
from sojourn.domain.history import Recorded

from .classes import (
    AUTHORIZE_SESSION,
    COMPLIANCE_FINDING,
    DATASTORE_ACTIVITY,
    ENTITY_MANAGEMENT,
    OTHER,
    USER_MANAGEMENT,
    Severity,
    Status,
    Told,
)

CREATE, READ, UPDATE, DELETE = 1, 2, 3, 4
_CREATING = (RequestSubmitted, ReviewOpened)
_ENDING = (RequestWithdrawn, RequestExpired)
_VERBS = {"select": 4, "insert": 5, "update": 2, "delete": 7, "create": 6, "copy": 1}
_ACTORS = (
    "person",
    "actor",
    "operator",
    "ended_by",
    "revoked_by",
    "recorded_by",
    "invited_by",
    "opened_by",
    "placed_by",
    "stopped_by",
)
_PORT = re.compile("[0-9]{1,5}")
_FAIL = 3
"""`status_id` of a compliance object: Fail."""


def told(one: Recorded) -> Told:
    """What an entry is told as. Every kind is told as something."""
    match one.event:
        case GrantCreated() | GrantProvisioned() | GrantExtended() | GrantEnded() | GrantRemoved():
            return _grant(one, one.event)
        case SessionOpened():
            return _session(one, one.event)
        case ActionIntended() | ActionCompleted() | SessionClosed():
            return _action(one, one.event)
        case GrantRemovalFailed() | GrantRemovalOverdue() | ReviewOverdue():
            return _finding(one, one.event, "an access is not over, or not looked at, in time")
        case PublicationRefused() | PublicationOverdue():
            return _finding(one, one.event, "the record is not copied to others in time")
        case TargetReconciled() if one.event.findings:
            subjects = ", ".join(f"{item.kind}: {item.subject}" for item in one.event.findings)
            return _finding(one, one.event, f"a target and the record do not agree: {subjects}")
        case TargetUnobserved():
            return _finding(one, one.event, f"a target cannot be looked at: {one.event.problem}")
        case _:
            return _entity(one, one.event)


def _entity(one: Recorded, event: Event) -> Told:
    kind, _, name = one.stream.partition("/")
    activity = CREATE if isinstance(event, _CREATING) else DELETE if isinstance(event, _ENDING) else UPDATE
    attributes: dict[str, object] = {"entity": {"type": kind, "uid": one.stream, "name": name or kind}}
    refused = isinstance(event, AttemptRefused)
    if isinstance(event, AttemptRefused):
        attributes["entity"] = {"type": "attempt", "uid": event.subject or "attempts", "name": event.verb}
    return Told(
        event_class=ENTITY_MANAGEMENT,
        activity=activity,
        attributes={**attributes, **_actor(event), **_source(event)},
        message=event.kind,
        status=Status.FAILURE if refused or isinstance(event, RequestDenied) else Status.SUCCESS,
        severity=Severity.LOW if refused else Severity.INFORMATIONAL,
        status_code=event.code if isinstance(event, AttemptRefused) else "",
    )


def _grant(one: Recorded, event: GrantCreated | GrantProvisioned | GrantExtended | GrantEnded | GrantRemoved) -> Told:
    name = one.stream.partition("/")[2]
    user: dict[str, object] = {"uid": name, "name": name, "type_id": OTHER, "type": "temporary access"}
    attributes: dict[str, object] = {"user": user, **_actor(event), **_source(event)}
    activity, status, detail = 2, Status.SUCCESS, ""
    match event:
        case GrantCreated():
            activity = 1
            user["credential_uid"] = event.credential
            attributes["iam_roles"] = [{"uid": event.role, "name": event.role}]
            attributes["resources"] = [{"uid": event.target, "name": event.target}]
        case GrantProvisioned():
            activity = 14
            attributes["privileges"] = list(event.observed)
        case GrantExtended():
            detail = f"until {event.until.isoformat()}"
        case GrantEnded():
            activity, detail = 5, event.cause.value
        case GrantRemoved():
            activity = 15
            gone = not event.role_present and event.sessions_present == 0
            status = Status.SUCCESS if gone else Status.FAILURE
    return Told(
        event_class=USER_MANAGEMENT,
        activity=activity,
        attributes=attributes,
        message=event.kind,
        status=status,
        status_detail=detail,
    )


def _session(one: Recorded, event: SessionOpened) -> Told:
    attributes = {
        "user": {"uid": event.person, "name": event.person},
        "privileges": [event.role],
        "iam_roles": [{"uid": event.role, "name": event.role}],
        "session": {"uid": event.session, "created_time": milliseconds(one), "is_remote": True},
        "dst_endpoint": {"name": event.target},
        **_actor(event),
        **_source(event),
    }
    return Told(event_class=AUTHORIZE_SESSION, activity=1, attributes=attributes, message=event.kind)


def _action(one: Recorded, event: ActionIntended | ActionCompleted | SessionClosed) -> Told:
    attributes: dict[str, object] = {
        "actor": {"session": {"uid": event.session}},
        "src_endpoint": {"uid": event.session, "name": "gateway"},
        "database": {"uid": event.session, "name": "target of the session", "type_id": 1},
    }
    activity, status, detail, duration = OTHER, Status.UNKNOWN, "", None
    match event:
        case ActionIntended():
            activity = _VERBS.get(event.verb, OTHER)
            attributes["query_info"] = {"uid": str(event.number), "query_string": f"sealed:{event.detail.commitment}"}
            if event.objects:
                attributes["table"] = {"name": ", ".join(event.objects)}
        case ActionCompleted():
            done = event.outcome is Outcome.COMPLETED
            status, detail = Status.SUCCESS if done else Status.FAILURE, event.outcome.value
            duration = event.duration_us // 1000
            attributes["query_info"] = {
                "uid": str(event.number),
                "query_string": f"action {event.number}",
                "bytes": event.bytes_out,
            }
        case SessionClosed():
            status, detail = Status.SUCCESS, event.cause.value
    return Told(
        event_class=DATASTORE_ACTIVITY,
        activity=activity,
        attributes=attributes,
        message=event.kind,
        status=status,
        status_code=event.sqlstate if isinstance(event, ActionCompleted) else "",
        status_detail=detail,
        duration=duration,
    )


def _finding(one: Recorded, event: Event, what: str) -> Told:
    attributes: dict[str, object] = {
        "finding_info": {"uid": f"{one.stream}#{one.version}", "title": what, "created_time": milliseconds(one)},
        "compliance": {"control": event.kind, "status_id": _FAIL, "status": "Fail", "standards": ["SOX 404"]},
        "resources": [{"uid": one.stream, "name": one.stream}],
    }
    return Told(
        event_class=COMPLIANCE_FINDING,
        activity=CREATE,
        attributes=attributes,
        message=event.kind,
        status=Status.UNKNOWN,
        severity=Severity.HIGH,
    )


def _actor(event: Event) -> dict[str, Any]:
    """Who did it, if the entry says so."""
    for name in _ACTORS:
        person = getattr(event, name, "")
        if person:
            return {"actor": {"user": {"uid": str(person), "name": str(person)}}}
    return {"actor": {"app_name": "Sojourn"}}


def _source(event: Event) -> dict[str, Any]:
    """From where, if the entry says so: an address and its port, or a word (`machine`: by whoever operates it)."""
    source = getattr(event, "source", "")
    if not source:
        return {}
    address, _, port = source.rpartition(":")
    for ip, more in ((address.strip("[]"), port), (source, "")):
        with suppress(ValueError):
            known: dict[str, object] = {"ip": str(ip_address(ip))}
            return {"src_endpoint": known | ({"port": int(more)} if _PORT.fullmatch(more) else {})}
    return {"src_endpoint": {"name": source}}


def milliseconds(one: Recorded) -> int:
    """When, in milliseconds since 1970 (OCSF's `timestamp_t`)."""
    return round(one.at.timestamp() * 1000)
