"""What belongs to an access besides its own streams: extensions, its review, absences, break-glass, and facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from sojourn.domain.duration import format_duration
from sojourn.domain.events import (
    AbsenceDeclared,
    AbsenceEnded,
    ApprovalWithdrawn,
    BreakGlassUsed,
    FactTold,
    GrantCreated,
    GrantExtended,
    PasskeyAdded,
    RequestApproved,
    RequestDenied,
    RequestRevised,
    RequestSubmitted,
    ReviewConcluded,
    ReviewNoted,
    ReviewOpened,
    ReviewOverdue,
    TeamsBlocked,
    TeamsUnblocked,
)
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import (
    STANDING,
    GrantId,
    StreamName,
    account_stream,
    break_glass_stream,
    fact_stream,
    request_stream,
    review_stream,
)
from sojourn.domain.people import FactKind
from sojourn.domain.sealed import Sealed

from .attributes import moment_text
from .step_up import confirmed_with

Told = dict[str, object]
Text = Callable[[Sealed | None], str | None]


class Streams(Protocol):
    """How entries are read: see `material.EvidenceLedger`."""

    async def raw_stream(self, stream: StreamName) -> tuple[bytes, ...]:
        """The bytes of every entry of a stream."""
        ...

    async def raw(self, places: Sequence[int]) -> tuple[bytes, ...]:
        """The bytes of the entries at these places."""
        ...


def streams_besides(own: Iterable[Recorded], grant: GrantId) -> list[StreamName]:
    """The streams that belong to it as a whole: the requests that extended it, and its review."""
    extended = [one.event.request for one in own if isinstance(one.event, GrantExtended)]
    return [*map(request_stream, dict.fromkeys(extended)), review_stream(grant)]


async def entries_besides(
    ledger: Streams, read_entry: Callable[[bytes], Recorded], entries: Sequence[Recorded], grant: GrantId | None
) -> list[bytes]:
    """Single entries of other streams that belong to it.

    Absences in which somebody decided for somebody else, its use of break-glass, the teams that its review blocked, the
    facts that its requests rested on, what was last told of their tickets while it lasted, and the public keys of the
    passkeys that signed its decisions.
    """
    away = {
        one.event.on_behalf_of
        for one in entries
        if isinstance(one.event, RequestApproved | RequestDenied) and one.event.on_behalf_of is not None
    }

    def belongs(one: Recorded) -> bool:
        match one.event:
            case AbsenceDeclared() | AbsenceEnded():
                return one.event.person in away
            case BreakGlassUsed() | TeamsBlocked() | TeamsUnblocked():
                return one.event.grant == grant
            case _:
                return False

    streams = [STANDING]
    streams += [
        break_glass_stream(one.event.person)
        for one in entries
        if isinstance(one.event, GrantCreated) and one.event.break_glass
    ]
    found = [data for stream in streams for data in await ledger.raw_stream(stream) if belongs(read_entry(data))]
    asked = [one.event.content if isinstance(one.event, RequestRevised) else one.event for one in entries]
    facts = {place for event in asked if isinstance(event, RequestSubmitted) for place in event.facts.entries}
    last = max((one.seq for one in entries), default=0)
    tickets = {event.facts.ticket.id for event in asked if isinstance(event, RequestSubmitted) and event.facts.ticket}
    for ticket in sorted(tickets):
        told = [read_entry(data) for data in await ledger.raw_stream(fact_stream(f"{FactKind.TICKET}/{ticket}"))]
        # Where the ticket stood when the access was over, however it went on afterwards.
        facts |= set([one.seq for one in told if one.seq <= last][-1:])
    keys = await _public_keys(ledger, read_entry, [*entries, *map(read_entry, found)])
    return [*found, *keys, *(await ledger.raw(sorted(facts)))]


async def _public_keys(
    ledger: Streams, read_entry: Callable[[bytes], Recorded], entries: Sequence[Recorded]
) -> list[bytes]:
    """The entries that hold the public keys of the passkeys with which something here was confirmed."""
    confirmed = {
        one.event.confirmation.passkey: one.event.person
        for one in entries
        if isinstance(one.event, RequestApproved | BreakGlassUsed) and one.event.confirmation is not None
    }
    streams = sorted({account_stream(person) for passkey, person in confirmed.items() if passkey is not None})
    added = [(data, read_entry(data).event) for stream in streams for data in await ledger.raw_stream(stream)]
    return [data for data, event in added if isinstance(event, PasskeyAdded) and event.passkey in confirmed]


def besides(entries: Sequence[Recorded], request: str, text: Text) -> dict[str, list[Told]]:
    """The same in plain values, by kind, in the order of the ledger. `request` is the one that began the access."""
    told: dict[str, list[Told]] = {"extensions": [], "review": [], "absences": [], "facts": [], "taken_back": []}
    for one in entries:
        found = _told(one, request, text)
        if found is not None:
            kind, what, person, more = found
            place: Told = {"entry": one.seq, "at": moment_text(one.at)}
            told[kind].append({**place, "what": what, "person": person, "text": more})
    return told


def _told(one: Recorded, request: str, text: Text) -> tuple[str, str, str, str] | None:
    match one.event:
        case RequestSubmitted() as asked if asked.request != request:
            more = f"{format_duration(asked.duration)} more: {text(asked.reason) or ''}"
            return "extensions", "asked for", asked.person, more
        case RequestApproved() | RequestDenied() as decided if decided.request != request:
            what = "approved" if isinstance(decided, RequestApproved) else "denied"
            return "extensions", what, decided.person, text(decided.comment) or ""
        case GrantExtended() as extended:
            since, until = moment_text(extended.since), moment_text(extended.until)
            return "extensions", "the end moved", "", f"from {since} to {until}"
        case ApprovalWithdrawn() as taken:
            return "taken_back", "approval taken back", taken.person, ""
        case AbsenceDeclared() as away:
            span = f"[{moment_text(away.window.start)}, {moment_text(away.window.end)})"
            return "absences", "away", away.person, f"{span}, decided for by {away.delegate or 'nobody'}"
        case AbsenceEnded() as back:
            return "absences", "back", back.person, ""
        case FactTold() as fact:
            people = ", ".join((*fact.people, *(shift.person for shift in fact.shifts)))
            said = " ".join(filter(None, (fact.sort, fact.state, people)))
            return "facts", f"{fact.fact} {fact.subject}", fact.told_by, f"{said} (from {fact.origin})"
        case _:
            return _reviewed(one, text)


def _reviewed(one: Recorded, text: Text) -> tuple[str, str, str, str] | None:
    match one.event:
        case BreakGlassUsed() as used:
            how = confirmed_with(used.confirmation)
            return "review", "taken by break-glass", used.person, f"told: {', '.join(used.told)}; {how}".rstrip("; ")
        case ReviewOpened() as opened:
            more = f"due {moment_text(opened.due)}, by any of {', '.join(opened.reviewers) or 'nobody'}"
            return "review", "opened", opened.person, more
        case ReviewNoted() as noted:
            return "review", "asked" if noted.question else "said", noted.person, text(noted.text) or ""
        case ReviewOverdue() as overdue:
            return "review", "overdue", "", f"also for {', '.join(overdue.escalated_to) or 'nobody'}"
        case ReviewConcluded() as concluded:
            seen = f"{concluded.sessions} sessions, {concluded.actions} actions, {concluded.writes} that could write"
            more = f"{concluded.outcome.replace('_', ' ')}; answers {', '.join(concluded.answers)}; saw {seen}"
            return "review", "concluded", concluded.person, f"{more}. {text(concluded.remark) or ''}".strip()
        case TeamsBlocked() as blocked:
            return "review", "nothing new for", blocked.person, ", ".join(blocked.teams)
        case TeamsUnblocked():
            return "review", "unblocked", "", ""
        case _:
            return None
