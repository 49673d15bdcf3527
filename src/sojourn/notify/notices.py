"""Which entries of the ledger somebody is told of, whom, and in which words. Pure.

A notice names ids and nothing that is sealed: who reads it signs in to see more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What `people` are told about the entry at place `entry`. `path` is where they see more of it."""

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
            return _waiting(asked)
        case RequestRevised() as revised if revised.content.groups:
            return _waiting(revised.content)
        case RequestEscalated() as escalated:
            subject = f"Request {escalated.request} waits for you as well"
            text = "Nobody has decided on it for long, so you may."
            return "escalation", escalated.people, subject, text, f"requests/{escalated.request}"
        case ReviewOpened() as opened:
            subject = f"The use of grant {opened.grant} is to be reviewed"
            text = f"One of you concludes the review by {opened.due.isoformat(timespec='minutes')}."
            return "review_due", opened.reviewers, subject, text, f"reviews/{opened.grant}"
        case ReviewOverdue() as overdue:
            subject = f"The review of grant {overdue.grant} is overdue"
            text = "The teams of its holder get nothing new until somebody concludes it; you may."
            return "review_overdue", overdue.escalated_to, subject, text, f"reviews/{overdue.grant}"
        case GrantRemovalOverdue() as late:
            people = tuple(one.id for one in adopted.catalogue.people if one.administrator)
            subject = f"ALARM: grant {late.grant} is over and its target has not let go of it"
            text = f"It has been over since {late.since.isoformat(timespec='seconds')}. It is tried again for ever."
            return "removal_overdue", people, subject, text, f"grants/{late.grant}"
        case ForwardingOverdue() as waiting:
            people = tuple(one.id for one in adopted.catalogue.people if one.administrator)
            subject = f"ALARM: {waiting.destination} takes no events"
            since = waiting.since.isoformat(timespec="seconds")
            text = (
                f"It has taken nothing since {since}. Nothing is lost: everything from entry {waiting.place} on waits."
            )
            return "forwarding_overdue", people, subject, text, f"ledger/{waiting.place}"
        case DeliveryOverdue() as missing:
            people = tuple(one.id for one in adopted.catalogue.people if one.administrator)
            subject = f"ALARM: the report of the schedule {missing.schedule} is not delivered"
            text = f"It was due at {missing.period.end.isoformat(timespec='minutes')}. It is tried again for ever."
            return "delivery_overdue", people, subject, text, "reports"
        case _:
            return None


def _waiting(asked: RequestSubmitted) -> tuple[str, tuple[PersonId, ...], str, str, str]:
    subject = f"Request {asked.request} of {asked.person} waits for you: {asked.role} on {asked.target}"
    text = f"It lapses at {asked.decide_by.isoformat(timespec='minutes')} if nobody decides."
    return "approval_waiting", asked.approvers, subject, text, f"requests/{asked.request}"
