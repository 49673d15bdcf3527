"""The story of one access in plain values: what `grant.json` holds and the page shows. Pure.

Every line names the place of its raw entry, so that each can be followed back to what was recorded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from sojourn.domain.duration import format_duration
from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    AttemptRefused,
    ConfigurationAdopted,
    GrantCreated,
    GrantEnded,
    GrantProvisioned,
    GrantRemoved,
    RequestApproved,
    RequestDenied,
    RequestSubmitted,
    SessionClosed,
    SessionOpened,
)
from sojourn.domain.history import Recorded
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal

from .attributes import answer_attributes
from .material import Disclosed, Material

Story = dict[str, Any]
"""Plain values, ready for JSON."""

SHREDDED = "(destroyed)"


def tell(material: Material) -> Story:
    """The whole story."""
    entries, disclosed = material.entries, material.disclosed
    story: Story = {
        "format": "sojourn-story/1",
        "grant": material.grant,
        "request": {},
        "decisions": [],
        "refused": [],
        "access": {},
        "sessions": [],
        "configuration": {},
        "tests": [dataclasses.asdict(test) for test in answer_attributes(entries)],
        "entries": len(entries),
    }
    sessions: dict[str, Story] = {}
    for one in entries:
        _tell(one, story, sessions, disclosed)
    story["sessions"] = list(sessions.values())
    return story


def _tell(one: Recorded, story: Story, sessions: dict[str, Story], disclosed: Mapping[str, Disclosed]) -> None:
    event = one.event
    match event:
        case RequestSubmitted():
            story["request"] = _request(one, event, disclosed)
        case RequestApproved() | RequestDenied():
            story["decisions"].append(_decision(one, event, disclosed))
        case AttemptRefused():
            story["refused"].append(_refused(one, event))
        case GrantCreated():
            story["access"] |= {
                **_place(one),
                "person": event.person,
                "target": event.target,
                "role": event.role,
                "start": _time(event.window.start),
                "end": _time(event.window.end),
                "credential": event.credential,
            }
        case GrantProvisioned():
            story["access"] |= {"provisioned": _place(one), "privileges": list(event.observed)}
        case GrantEnded():
            story["access"] |= {"ended": {**_place(one), "cause": event.cause, "by": event.ended_by}}
        case GrantRemoved():
            story["access"] |= {
                "removed": {
                    **_place(one),
                    "role_present": event.role_present,
                    "sessions_terminated": event.sessions_terminated,
                }
            }
        case ConfigurationAdopted():
            story["configuration"] = {
                **_place(one),
                "version": one.version,
                "catalogue_sha256": event.catalogue_sha256,
                "adopted_by": event.operator,
                "files": [dataclasses.asdict(file) for file in event.files],
            }
        case SessionOpened() | SessionClosed() | ActionIntended() | ActionCompleted():
            _tell_session(one, sessions, disclosed)
        case _:
            return


def _tell_session(one: Recorded, sessions: dict[str, Story], disclosed: Mapping[str, Disclosed]) -> None:
    event = one.event
    match event:
        case SessionOpened():
            sessions[event.session] = {
                **_place(one),
                "session": event.session,
                "source": event.source,
                "application": event.application,
                "tls": event.tls,
                "actions": [],
            }
        case ActionIntended():
            sessions[event.session]["actions"].append(
                {
                    **_place(one),
                    "number": event.number,
                    "verb": event.verb,
                    "may_write": event.may_write,
                    "objects": list(event.objects),
                    **_detail(event.detail, disclosed),
                    "outcome": None,
                }
            )
        case ActionCompleted():
            actions = sessions[event.session]["actions"]
            action = next(action for action in actions if action["number"] == event.number)
            action |= {
                "outcome": event.outcome,
                "outcome_entry": one.seq,
                "tags": list(event.tags),
                "sqlstate": event.sqlstate,
                "message": _text(event.message, disclosed),
                "rows": event.rows,
                "bytes_in": event.bytes_in,
                "bytes_out": event.bytes_out,
                "duration_us": event.duration_us,
            }
        case SessionClosed():
            sessions[event.session]["closed"] = {
                **_place(one),
                "cause": event.cause,
                "actions": event.actions,
                "cut_lag_us": event.cut_lag_us,
            }


def _request(one: Recorded, event: RequestSubmitted, disclosed: Mapping[str, Disclosed]) -> Story:
    return {
        **_place(one),
        "request": event.request,
        "person": event.person,
        "target": event.target,
        "role": event.role,
        "duration": _duration(event.duration),
        "reason": _text(event.reason, disclosed),
        "digest": event.digest,
        "rules": list(event.rules),
        "approvals_needed": event.approvals,
        "approvers": list(event.approvers),
        "source": event.source,
    }


def _decision(one: Recorded, event: RequestApproved | RequestDenied, disclosed: Mapping[str, Disclosed]) -> Story:
    return {
        **_place(one),
        "person": event.person,
        "decision": "approved" if isinstance(event, RequestApproved) else "denied",
        "digest": event.digest,
        "comment": _text(event.comment, disclosed),
        "source": event.source,
    }


def _refused(one: Recorded, event: AttemptRefused) -> Story:
    refusal = Refusal(Code(event.code), dict(event.details))
    try:
        sentence = refusal.sentence
    except KeyError:
        sentence = str(refusal.code)
    return {
        **_place(one),
        "verb": event.verb,
        "actor": event.actor,
        "code": event.code,
        "sentence": sentence,
        "source": event.source,
    }


def _place(one: Recorded) -> Story:
    return {"entry": one.seq, "at": _time(one.at)}


def _time(moment: Any) -> str:
    return str(moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def _duration(span: timedelta) -> str:
    return format_duration(span)


def _text(sealed: Sealed | None, disclosed: Mapping[str, Disclosed]) -> str | None:
    if sealed is None:
        return None
    held = disclosed.get(sealed.commitment)
    return SHREDDED if held is None else held.value.decode("utf-8", "backslashreplace")


def _detail(sealed: Sealed, disclosed: Mapping[str, Disclosed]) -> Story:
    """What an action said: its text, and what was bound to it."""
    held = disclosed.get(sealed.commitment)
    if held is None:
        return {"text": SHREDDED, "binds": None}
    detail = msgspec.json.decode(held.value)
    text = detail.get("text") or next((f"{name}: {detail[name]}" for name in _NAMES if name in detail), "")
    return {"text": text, "binds": [_bind(value) for value in detail["binds"]] if "binds" in detail else None}


_NAMES = ("text_base64", "statement", "portal", "function_oid")


def _bind(value: Any) -> str | None:
    if value is None:
        return None
    kind: Sequence[str] = list(value)
    return str(value["text"]) if "text" in kind else f"base64:{value[kind[0]]}"
