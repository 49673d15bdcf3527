"""What events about break-glass, reviews and campaigns mean for the read models."""

from __future__ import annotations

import msgspec

from sojourn.domain.events import (
    BreakGlassUsed,
    CampaignClosed,
    CampaignDecided,
    CampaignListed,
    CampaignOpened,
    EligibilityRemovalConfirmed,
    Event,
    ReviewConcluded,
    ReviewNoted,
    ReviewOpened,
    ReviewOverdue,
)
from sojourn.domain.history import Recorded

from . import tables as t
from .moments import text
from .writer import Writer


def fold_assurance(recorded: Recorded, write: Writer) -> None:
    """Fold one entry of such a stream."""
    event, at = recorded.event, text(recorded.at)
    match event:
        case BreakGlassUsed():
            values = {
                "grant": event.grant,
                "request": event.request,
                "person": event.person,
                "taken_at": at,
                "seq": recorded.seq,
            }
            write.insert(t.glass, values)
            for person in event.told:
                write.insert(t.told, {"grant": event.grant, "person": person})
        case ReviewOpened() | ReviewNoted() | ReviewOverdue() | ReviewConcluded():
            _review(event, recorded, at, write)
        case EligibilityRemovalConfirmed():
            what = {"campaign": event.campaign, "person": event.person, "target": event.target, "role": event.role}
            write.update(t.campaign_item, what, {"proven_at": at})
            write.count(t.campaign, {"id": event.campaign}, "proven")
        case _:
            _campaign(event, recorded, at, write)


def _review(
    event: ReviewOpened | ReviewNoted | ReviewOverdue | ReviewConcluded, recorded: Recorded, at: str, write: Writer
) -> None:
    key = {"grant": event.grant}
    match event:
        case ReviewOpened():
            write.update(t.grant, {"id": event.grant}, {"review_opened": 1})
            write.insert(
                t.review,
                {
                    **key,
                    "request": event.request,
                    "person": event.person,
                    "status": "open",
                    "due": text(event.due),
                    "break_glass": int(event.break_glass),
                    "declared": ", ".join(event.declared),
                    "checklist": "\n".join(event.checklist),
                    "opened_at": at,
                    "seq": recorded.seq,
                },
            )
            for person in event.reviewers:
                write.insert(t.reviewer, {**key, "person": person})
        case ReviewNoted():
            values = {
                **key,
                "number": event.number,
                "person": event.person,
                "at": at,
                "text": event.text.commitment,
                "question": int(event.question),
                "answers": event.answers,
                "answered": 0,
            }
            write.insert(t.note, values)
            if event.answers is not None:
                write.update(t.note, {**key, "number": event.answers}, {"answered": 1})
        case ReviewOverdue():
            write.update(t.review, key, {"status": "overdue"})
            for person in event.escalated_to:
                write.insert_new(t.reviewer, {**key, "person": person})
        case ReviewConcluded():
            concluded = {
                "status": "concluded",
                "reviewer": event.person,
                "outcome": event.outcome,
                "answers": ", ".join(event.answers),
                "remark": None if event.remark is None else event.remark.commitment,
                "concluded_at": at,
                "sessions": event.sessions,
                "actions": event.actions,
                "writes": event.writes,
            }
            write.update(t.review, key, concluded)


def _campaign(event: Event, recorded: Recorded, at: str, write: Writer) -> None:
    match event:
        case CampaignOpened():
            values = {
                "id": event.campaign,
                "title": event.title,
                "status": "open",
                "opened_by": event.opened_by,
                "opened_at": at,
                "due": text(event.due),
                "items": event.items,
                "undecided": event.items,
                "kept": 0,
                "removed": 0,
                "proven": 0,
                "configuration_version": event.configuration_version,
                "seq": recorded.seq,
            }
            write.insert(t.campaign, values)
        case CampaignListed():
            for item in event.items:
                row = {
                    "campaign": event.campaign,
                    "number": item.number,
                    "person": item.person,
                    "target": item.target,
                    "role": item.role,
                    "rules": ", ".join(item.rules),
                    "reviewers": msgspec.json.encode(item.reviewers).decode(),
                }
                write.insert(t.campaign_item, row)
        case CampaignDecided():
            decision = {
                "decision": "kept" if event.keep else "removed",
                "decided_by": event.person,
                "decided_at": at,
                "comment": None if event.comment is None else event.comment.commitment,
            }
            write.update(t.campaign_item, {"campaign": event.campaign, "number": event.number}, decision)
            write.count(t.campaign, {"id": event.campaign}, "kept" if event.keep else "removed")
            write.count(t.campaign, {"id": event.campaign}, "undecided", by=-1)
        case CampaignClosed():
            for number in event.silent:
                silent = {"decision": "removed", "decided_by": "", "decided_at": at}
                write.update(t.campaign_item, {"campaign": event.campaign, "number": number}, silent)
            closed = {"status": "closed", "closed_at": at, "kept": event.kept, "removed": event.removed, "undecided": 0}
            write.update(t.campaign, {"id": event.campaign}, closed)
