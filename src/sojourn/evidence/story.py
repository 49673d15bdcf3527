"""The story of one access in plain values: what `grant.json` holds and the page shows. Pure.

Every line names the place of its raw entry, so that each can be followed back to what was recorded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sojourn.domain.duration import format_duration
from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    AttemptRefused,
    CancelRequested,
    ChunkRecorded,
    ConfigurationAdopted,
    GrantCreated,
    GrantEnded,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemoved,
    KeysDestroyed,
    RequestActivated,
    RequestApproved,
    RequestDenied,
    RequestRevised,
    RequestSubmitted,
    SessionClosed,
    SessionOpened,
)
from sojourn.domain.history import Recorded
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal

from .attributes import moment_text
from .blocks import blocks
from .circumstances import besides
from .examination import examine, fold
from .material import Disclosed, Material
from .step_up import confirmed_with
from .walk import walk

Story = dict[str, Any]
"""Plain values, ready for JSON."""

SHREDDED = "(shredded)"
"""Stands for a value whose key a tombstone names."""

MISSING = "(missing)"
"""Stands for a value that should open and does not, without a tombstone that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """What opens, by commitment; and the keys that tombstones name."""

    disclosed: Mapping[str, Disclosed]
    destroyed: frozenset[str]

    def value(self, sealed: Sealed) -> bytes | None:
        """The value, or None if it does not open."""
        held = self.disclosed.get(sealed.commitment)
        return None if held is None else held.value

    def instead(self, sealed: Sealed) -> str:
        """What stands for a value that does not open."""
        return SHREDDED if sealed.key in self.destroyed else MISSING


def tell(material: Material) -> Story:
    """The whole story."""
    entries, (books, access) = material.entries, fold(material)
    tests = examine(material, books, access)
    destroyed = frozenset(key for one in entries if isinstance(one.event, KeysDestroyed) for key in one.event.keys)
    readable = Readable(disclosed=material.disclosed, destroyed=destroyed)
    story: Story = {
        "format": "sojourn-story/1",
        "grant": material.grant,
        "subject": material.grant or material.request,
        "status": access.status,
        "request": {},
        "decisions": [],
        "refused": [],
        "access": {},
        "sessions": [],
        "configurations": [],
        "shredded": [],
        "tests": [dataclasses.asdict(test) for test in tests],
        "entries": len(entries),
        "walk": [dataclasses.asdict(hop) for hop in walk(entries)],
    }

    def text(sealed: Sealed | None) -> str | None:
        return _text(sealed, readable)

    story["blocks"] = [dataclasses.asdict(line) for line in blocks(material, books, access, tests, text)]
    sessions: dict[str, Story] = {}
    begun = material.request
    story |= besides(entries, begun, text)
    own = (one for one in entries if getattr(one.event, "request", begun) == begun)
    for one in own:
        _tell(one, story, sessions, readable)
    story["sessions"] = list(sessions.values())
    if not story["access"]:
        story["access"] = _nothing(story["request"])
    return story


def _tell(one: Recorded, story: Story, sessions: dict[str, Story], readable: Readable) -> None:
    event = one.event
    match event:
        case RequestSubmitted():
            story["request"] = _request(one, event, readable)
        case RequestRevised():
            # What was decided on is what was asked in the end; who changed it stands in the walk-through.
            story["request"] = _request(one, event.content, readable)
        case RequestApproved() | RequestDenied():
            story["decisions"].append(_decision(one, event, readable))
        case AttemptRefused():
            story["refused"].append(_refused(one, event))
        case GrantCreated():
            story["access"] |= _access(one, event)
        case GrantProvisioned():
            story["access"] |= {"provisioned": _place(one), "privileges": list(event.observed)}
        case GrantEnded():
            story["access"] |= {
                "ended": {**_place(one), "cause": event.cause, "by": event.ended_by, "problem": event.problem}
            }
        case GrantRemovalFailed():
            failure = {**_place(one), "attempt": event.attempt, "problem": event.problem}
            story["access"]["removal_failed"].append(failure)
        case GrantRemoved():
            story["access"] |= {
                "removed": {
                    **_place(one),
                    "role_present": event.role_present,
                    "sessions_present": event.sessions_present,
                    "sessions_terminated": event.sessions_terminated,
                    **({"left": list(event.left)} if event.left else {}),
                }
            }
        case ConfigurationAdopted():
            story["configurations"].append(_configuration(one, event))
        case KeysDestroyed():
            story["shredded"].append(_shredded(one, event))
        case RequestActivated():
            story["request"]["activated"] = {**_place(one), "source": event.source}
        case (
            SessionOpened()
            | SessionClosed()
            | ActionIntended()
            | ActionCompleted()
            | CancelRequested()
            | ChunkRecorded()
        ):
            _tell_session(one, sessions, readable)
        case _:
            return


def _tell_session(one: Recorded, sessions: dict[str, Story], readable: Readable) -> None:
    event = one.event
    match event:
        case SessionOpened():
            sessions[event.session] = {
                **_place(one),
                "session": event.session,
                "source": event.source,
                "application": event.application,
                "tls": event.tls,
                "database": event.database,
                "token": event.token,
                "certificate": event.certificate,
                "actions": [],
                "cancels": [],
                "recordings": {},
                "closed": None,
            }
        case ActionIntended():
            sessions[event.session]["actions"].append(
                {
                    **_place(one),
                    "number": event.number,
                    "verb": event.verb,
                    "may_write": event.may_write,
                    "objects": list(event.objects),
                    **_detail(event.detail, readable),
                    "outcome": None,
                }
            )
        case ActionCompleted():
            actions = sessions[event.session]["actions"]
            action = actions[event.number - 1]
            action |= {
                "outcome": event.outcome,
                "outcome_entry": one.seq,
                "tags": list(event.tags),
                "sqlstate": event.sqlstate,
                "message": _text(event.message, readable),
                "rows": event.rows,
                "bytes_in": event.bytes_in,
                "bytes_out": event.bytes_out,
                "duration_us": event.duration_us,
            }
        case CancelRequested():
            sessions[event.session]["cancels"].append({**_place(one), "source": event.source})
        case ChunkRecorded():
            # What was shown is in the chunks; the pack names each by its place and commitment.
            chunk = {"entry": one.seq, "part": event.part, "size": event.size, "commitment": event.content.commitment}
            sessions[event.session]["recordings"].setdefault(str(event.number), []).append(chunk)
        case SessionClosed():
            sessions[event.session]["closed"] = {
                **_place(one),
                "cause": event.cause,
                "actions": event.actions,
                "cut_lag_us": event.cut_lag_us,
            }


def _request(one: Recorded, event: RequestSubmitted, readable: Readable) -> Story:
    return {
        **_place(one),
        "request": event.request,
        "person": event.person,
        "target": event.target,
        "role": event.role,
        "duration": format_duration(event.duration),
        "reason": _text(event.reason, readable),
        "digest": event.digest,
        "rules": list(event.rules),
        "approvals_needed": event.approvals,
        "approvers": list(event.approvers),
        "decide_by": moment_text(event.decide_by),
        "configuration_version": event.configuration_version,
        "source": event.source,
        "activated": None,
    }


def _access(one: Recorded, event: GrantCreated) -> Story:
    return {
        **_place(one),
        "person": event.person,
        "target": event.target,
        "role": event.role,
        "start": moment_text(event.window.start),
        "end": moment_text(event.window.end),
        "credential": event.credential,
        "configuration_version": event.configuration_version,
        "provisioned": None,
        "privileges": [],
        "ended": None,
        "removal_failed": [],
        "removed": None,
    }


def _nothing(request: Story) -> Story:
    """What stands in the place of an access that never was."""
    empty = dict.fromkeys(("entry", "at", "start", "end", "credential", "provisioned", "ended", "removed"))
    asked = {name: request.get(name) for name in ("person", "target", "role", "configuration_version")}
    return {**asked, **empty, "privileges": [], "removal_failed": []}


def _configuration(one: Recorded, event: ConfigurationAdopted) -> Story:
    return {
        **_place(one),
        "version": one.version,
        "catalogue_sha256": event.catalogue_sha256,
        "settings_sha256": event.settings_sha256,
        "adopted_by": event.operator or f"{event.proposed_by}, approved by {event.approved_by}",
        "files": [dataclasses.asdict(file) for file in event.files],
    }


def _shredded(one: Recorded, event: KeysDestroyed) -> Story:
    return {
        **_place(one),
        "cause": event.cause,
        "person": event.person,
        "record_class": event.record_class,
        "keys": len(event.keys),
        "values": event.values,
    }


def _decision(one: Recorded, event: RequestApproved | RequestDenied, readable: Readable) -> Story:
    return {
        **_place(one),
        "person": event.person,
        "decision": "approved" if isinstance(event, RequestApproved) else "denied",
        "confirmed": confirmed_with(event.confirmation) if isinstance(event, RequestApproved) else "",
        "digest": event.digest,
        "comment": _text(event.comment, readable),
        "configuration_version": event.configuration_version,
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
    return {"entry": one.seq, "at": moment_text(one.at)}


def _text(sealed: Sealed | None, readable: Readable) -> str | None:
    if sealed is None:
        return None
    value = readable.value(sealed)
    return readable.instead(sealed) if value is None else value.decode("utf-8", "backslashreplace")


def _detail(sealed: Sealed, readable: Readable) -> Story:
    """What an action said: its text, and what was bound to it. What is in no known form is shown as it stands."""
    value = readable.value(sealed)
    if value is None:
        return {"text": readable.instead(sealed), "binds": None}
    try:
        detail = msgspec.json.decode(value, type=_Detail)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {"text": value.decode("utf-8", "backslashreplace"), "binds": None}
    return {"text": _said(detail), "binds": None if detail.binds is None else [_bound(one) for one in detail.binds]}


class _Bound(msgspec.Struct):
    """A value that was bound: as text, or its exact bytes in base64."""

    text: str | None = None
    text_base64: str | None = None
    base64: str | None = None


class _Detail(msgspec.Struct):
    """What a gateway seals of an action (written in `gateway/postgres/intentions.py`)."""

    text: str | None = None
    text_base64: str | None = None
    statement: str | None = None
    portal: str | None = None
    function_oid: int | None = None
    binds: list[_Bound | None] | None = None


def _said(detail: _Detail) -> str:
    if detail.text is not None:
        return detail.text
    for name in ("text_base64", "statement", "portal", "function_oid"):
        value = getattr(detail, name)
        if value is not None:
            return f"{name}: {value}"
    return ""


def bound_to(action: Story) -> str:
    """What was bound to an action of a story, in one line; "" if nothing was."""
    binds = action["binds"] or ()
    return ", ".join(f"${place} = {'NULL' if value is None else value}" for place, value in enumerate(binds, 1))


def _bound(value: _Bound | None) -> str | None:
    if value is None:
        return None
    return value.text if value.text is not None else f"base64:{value.text_base64 or value.base64 or ''}"
