"""The walk-through: one access on one page, hop by hop in the order of the record, each with its raw entry.

What was done in a session is one hop, from its first action to its last, however many there were; every other entry of
the pack is a hop of its own, so that nothing on record about the access is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sojourn.domain.duration import format_duration
from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    AttemptRefused,
    BreakGlassUsed,
    CancelRequested,
    ChunkRecorded,
    ConfigurationAdopted,
    Event,
    ExceptionDisposed,
    FactTold,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
    KeysDestroyed,
    RequestActivated,
    RequestApproved,
    RequestCommented,
    RequestDenied,
    RequestRevised,
    RequestSubmitted,
    ReviewConcluded,
    ReviewNoted,
    ReviewOpened,
    ReviewOverdue,
    SessionClosed,
    SessionConnected,
    SessionOpened,
)
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import SessionId

from .attributes import moment_text
from .step_up import confirmed_with

SYSTEM_ACTOR = "Sojourn"


@dataclass(slots=True, kw_only=True)
class Hop:
    """One step. `entry` and `last` are the places of its first and last entry; `entries` counts those between."""

    entry: int
    last: int
    entries: int
    at: str
    who: str
    what: str
    kind: str
    stream: str


def walk(entries: Sequence[Recorded]) -> list[Hop]:
    """Every hop, in the order of the record."""
    return list(_hops(entries))


def _hops(entries: Sequence[Recorded]) -> Iterator[Hop]:
    working: dict[SessionId, tuple[Hop, list[int]]] = {}
    people: dict[SessionId, str] = {}
    for one in entries:
        event = one.event
        if isinstance(event, SessionOpened):
            people[event.session] = event.person
        if not isinstance(event, ActionIntended | ActionCompleted | ChunkRecorded):
            who, what = _said(event)
            yield _hop(one, who, what)
            continue
        if event.session not in working:
            hop = _hop(one, people.get(event.session, "somebody"), "")
            working[event.session] = hop, [0, 0]
            yield hop
        hop, counts = working[event.session]
        hop.last, hop.entries = one.seq, hop.entries + (hop.last != one.seq)
        counts[0] += isinstance(event, ActionIntended)
        counts[1] += isinstance(event, ActionIntended) and event.may_write
        # The hop was given away before its session was over; its words grow with it.
        did = f"did {counts[0]} action{'' if counts[0] == 1 else 's'}"
        hop.what = f"{did} in session {event.session}, {counts[1]} of which could write"


def _hop(one: Recorded, who: str, what: str) -> Hop:
    return Hop(
        entry=one.seq,
        last=one.seq,
        entries=1,
        at=moment_text(one.at),
        who=who,
        what=what,
        kind=one.event.kind,
        stream=one.stream,
    )


def _said(event: Event) -> tuple[str, str]:
    """Who did it, and what, in words."""
    words = _WORDS.get(type(event))
    if words is not None:
        return words(event)
    person = getattr(event, "person", "") or getattr(event, "told_by", "") or SYSTEM_ACTOR
    return person, event.kind.replace(".", ": ").replace("_", " ")


def _approved(event: Any) -> tuple[str, str]:
    place = f" in the place of {event.on_behalf_of}" if event.on_behalf_of else ""
    complete = ", and no approval was missing then" if event.complete else ""
    return event.person, f"approved it{place}{complete}{_confirmed(event)}"


def _confirmed(event: Any) -> str:
    how = confirmed_with(event.confirmation)
    return f"; {how}" if how else ""


def _adopted(event: Any) -> tuple[str, str]:
    by = event.operator or f"{event.proposed_by}, with {event.approved_by}"
    return by, f"put the configuration in force, {len(event.files)} file{'' if len(event.files) == 1 else 's'}"


def _asked(event: Any) -> tuple[str, str]:
    more = " more" if event.extends is not None else ""
    return event.person, f"asked for {event.role} on {event.target} for {format_duration(event.duration)}{more}"


def _ended(event: Any) -> tuple[str, str]:
    return event.ended_by or SYSTEM_ACTOR, f"ended it: {event.cause.replace('_', ' ')}"


def _removed(event: Any) -> tuple[str, str]:
    login = "the login is still there" if event.role_present else "the login is gone"
    return SYSTEM_ACTOR, f"read back from the target: {login}, {event.sessions_present} sessions there"


def _noted(event: Any) -> tuple[str, str]:
    return event.person, "asked in the review" if event.question else "said something in the review"


def _closed(event: Any) -> tuple[str, str]:
    lag = "" if event.cut_lag_us is None else f", cut {event.cut_lag_us / 1000:.1f} ms after the end"
    return SYSTEM_ACTOR, f"closed session {event.session}: {event.cause.replace('_', ' ')}{lag}"


_WORDS: dict[type[Event], Callable[[Any], tuple[str, str]]] = {
    ConfigurationAdopted: _adopted,
    FactTold: lambda one: (one.told_by, f"told of {one.fact} {one.subject}: {one.sort} {one.state}".rstrip(": ")),
    RequestSubmitted: _asked,
    RequestRevised: lambda one: (one.person, f"changed what is asked ({format_duration(one.content.duration)})"),
    RequestCommented: lambda one: (one.person, "asked something" if one.question else "said something"),
    RequestApproved: _approved,
    RequestDenied: lambda one: (one.person, "denied it"),
    RequestActivated: lambda one: (one.person, "began it"),
    BreakGlassUsed: lambda one: (one.person, f"took it by break-glass; told: {', '.join(one.told)}{_confirmed(one)}"),
    AttemptRefused: lambda one: (one.actor, f"tried to {one.verb} and was refused: {one.code}"),
    GrantCreated: lambda one: (SYSTEM_ACTOR, f"gave {one.role} on {one.target} until {moment_text(one.window.end)}"),
    GrantProvisioned: lambda one: (
        SYSTEM_ACTOR,
        f"made it at the target and read back {len(one.observed)} privileges",
    ),
    GrantExtended: lambda one: (SYSTEM_ACTOR, f"moved its end to {moment_text(one.until)}"),
    CancelRequested: lambda one: (f"the client of session {one.session}", "asked to cancel what was running"),
    SessionOpened: lambda one: (one.person, f"opened session {one.session} from {one.source}"),
    SessionConnected: lambda one: (SYSTEM_ACTOR, f"connected session {one.session} to the target"),
    SessionClosed: _closed,
    GrantEnded: _ended,
    GrantRemovalFailed: lambda one: (SYSTEM_ACTOR, f"could not remove it (attempt {one.attempt}): {one.problem}"),
    GrantRemovalOverdue: lambda one: (SYSTEM_ACTOR, f"alarm: not removed since {moment_text(one.since)}"),
    GrantRemoved: _removed,
    ReviewOpened: lambda one: (SYSTEM_ACTOR, f"opened its review, due {moment_text(one.due)}"),
    ReviewNoted: _noted,
    ReviewOverdue: lambda one: (SYSTEM_ACTOR, "found the review overdue, and asked others as well"),
    ReviewConcluded: lambda one: (one.person, f"concluded the review: {one.outcome.replace('_', ' ')}"),
    ExceptionDisposed: lambda one: (
        one.person,
        f"disposed of {' '.join(one.letters)}: {one.disposition.replace('_', ' ')}, owner {one.owner}",
    ),
    KeysDestroyed: lambda one: (SYSTEM_ACTOR, f"destroyed {len(one.keys)} sealing keys ({one.cause})"),
}
