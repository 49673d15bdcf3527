"""What looks at targets mean for the read models: the looks, what they found, and what became of it."""

from __future__ import annotations

import msgspec

from sojourn.domain.events import Finding, FindingDisposed, TargetReconciled, TargetUnobserved
from sojourn.domain.finding import UNOBSERVED, finding_id, gap_id
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import FindingId, TargetName

from . import tables as t
from .moments import text
from .writer import Writer

IN_A_LOOK = 1 << 10
"""More findings than a look can tell; so each has a place of its own in a list."""


def fold_target(recorded: Recorded, write: Writer) -> None:
    """Fold an entry of a target, or one that says what becomes of a finding."""
    match recorded.event:
        case TargetReconciled() as event:
            _look(recorded, event.target, write, seen=msgspec.json.encode(event).decode(), problem=None)
            for number, one in enumerate(event.findings):
                _found(recorded, event.target, finding_id(event.target, one), one.kind, one, write, number=number)
        case TargetUnobserved() as event:
            _look(recorded, event.target, write, seen=None, problem=event.problem)
            identity = gap_id(event.target, event.problem, recorded.at)
            _found(recorded, event.target, identity, UNOBSERVED, None, write, problem=event.problem)
        case FindingDisposed() as event:
            values = {
                "disposed": 1,
                "disposition": event.disposition,
                "owner": event.owner,
                "ticket": event.ticket,
                "remark": event.remark.commitment,
                "disposed_by": event.person,
                "disposed_at": text(recorded.at),
            }
            write.update(t.finding, {"id": event.finding}, values)


def _look(recorded: Recorded, target: TargetName, write: Writer, *, seen: str | None, problem: str | None) -> None:
    values = {"seq": recorded.seq, "target": target, "at": text(recorded.at), "problem": problem, "event": seen}
    write.insert(t.reconciliation, values)


def _found(
    recorded: Recorded,
    target: TargetName,
    identity: FindingId,
    kind: str,
    found: Finding | None,
    write: Writer,
    *,
    number: int = 0,
    problem: str = "",
) -> None:
    at = text(recorded.at)
    values = {
        "id": identity,
        "target": target,
        "kind": kind,
        "subject": target if found is None else found.subject,
        "detail": problem if found is None else found.detail,
        "since": at if found is None else text(found.since),
        "place": recorded.seq * IN_A_LOOK + number,
        "seq": recorded.seq,
        "last_seq": recorded.seq,
        "last_at": at,
        "disposed": 0,
    }
    write.insert_new(t.finding, values)
    write.update(t.finding, {"id": identity}, {"last_seq": recorded.seq, "last_at": at})
