"""Which entries of the ledger somebody is told of, whom, and in which words. Pure.

A notice names ids and nothing that is sealed: who reads it signs in to see more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import (
    BreakGlassUsed,
    DeliveryOverdue,
    ForwardingOverdue,
    GrantRemovalOverdue,
    RequestEscalated,
    RequestRevised,
    RequestSubmitted,
    ReviewOpened,
    ReviewOverdue,
)
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import PersonId

PREFIXES = ("request/", "break_glass/", "review/", "grant/", "notices", "schedules")

ZONES_MAX = 8
"""In so many time zones a moment is told in one notice, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What `people` are told about the entry at place `entry`. `path` is where they see more of it.

    Moments in `text` are in UTC, and in the zones of `people` beside it.
    """

    entry: int
    at: datetime
    kind: str
    people: tuple[PersonId, ...]
    subject: str
    text: str
    path: str


def notice_of(recorded: Recorded, adopted: Adopted) -> Notice | None:
    """The notice about an entry, or None for what nobody is told of."""
    told = _told(recorded, adopted)
    if told is None:
        return None
    kind, people, subject, text, path = told
    known = tuple(dict.fromkeys(one for one in people if adopted.catalogue.person(one) is not None))
    return Notice(entry=recorded.seq, at=recorded.at, kind=kind, people=known, subject=subject, text=text, path=path)


def _told(recorded: Recorded, adopted: Adopted) -> tuple[str, tuple[PersonId, ...], str, str, str] | None:
    match recorded.event:
        case BreakGlassUsed() as used:
            subject = f"Break-glass by {used.person}: grant {used.grant}"
            text = "Nobody decided beforehand. You are told because the policy says so; its use will be reviewed."
            return "break_glass", used.told, subject, text, f"grants/{used.grant}"
        case RequestSubmitted() as asked if asked.groups:
            return _waiting(asked, adopted)
        case RequestRevised() as revised if revised.content.groups:
            return _waiting(revised.content, adopted)
        case RequestEscalated() as escalated:
            subject = f"Request {escalated.request} waits for you as well"
            text = "Nobody has decided on it for long, so you may."
            return "escalation", escalated.people, subject, text, f"requests/{escalated.request}"
        case ReviewOpened() as opened:
            subject = f"The use of grant {opened.grant} is to be reviewed"
            by = _when(opened.due, opened.reviewers, adopted)
            text = f"One of you concludes the review by {by}."
            return "review_due", opened.reviewers, subject, text, f"reviews/{opened.grant}"
        case ReviewOverdue() as overdue:
            subject = f"The review of grant {overdue.grant} is overdue"
            text = "The teams of its holder get nothing new until somebody concludes it; you may."
            return "review_overdue", overdue.escalated_to, subject, text, f"reviews/{overdue.grant}"
        case GrantRemovalOverdue() as late:
            people = tuple(one.id for one in adopted.catalogue.people if one.administrator)
            subject = f"ALARM: grant {late.grant} is over and its target has not let go of it"
            text = f"It has been over since {_when(late.since, people, adopted)}. It is tried again for ever."
            return "removal_overdue", people, subject, text, f"grants/{late.grant}"
        case ForwardingOverdue() as waiting:
            people = tuple(one.id for one in adopted.catalogue.people if one.administrator)
            subject = f"ALARM: {waiting.destination} takes no events"
            since = _when(waiting.since, people, adopted)
            text = (
                f"It has taken nothing since {since}. Nothing is lost: everything from entry {waiting.place} on waits."
            )
            return "forwarding_overdue", people, subject, text, f"ledger/{waiting.place}"
        case DeliveryOverdue() as missing:
            people = tuple(one.id for one in adopted.catalogue.people if one.administrator)
            subject = f"ALARM: the report of the schedule {missing.schedule} is not delivered"
            due = _when(missing.period.end, people, adopted)
            text = f"It was due at {due}. It is tried again for ever."
            return "delivery_overdue", people, subject, text, "reports"
        case _:
            return None


def _waiting(asked: RequestSubmitted, adopted: Adopted) -> tuple[str, tuple[PersonId, ...], str, str, str]:
    subject = f"Request {asked.request} of {asked.person} waits for you: {asked.role} on {asked.target}"
    text = f"It lapses at {_when(asked.decide_by, asked.approvers, adopted)} if nobody decides."
    return "approval_waiting", asked.approvers, subject, text, f"requests/{asked.request}"


def _when(moment: datetime, people: Iterable[PersonId], adopted: Adopted) -> str:
    """A moment in UTC, and as the clocks show it where those people are who are told."""
    zones = sorted({one.zone for one in map(adopted.catalogue.person, people) if one is not None and one.zone})
    said = [f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"]
    said += (f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}" for zone in zones[:ZONES_MAX])
    return f"{said[0]} ({', '.join(said[1:])})" if said[1:] else said[0]
