"""What targets and the record did not both know, and times when nobody could look, each with what became of it.

Every report and control that tells of findings counts these, folded once from the looks on record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sojourn.domain.events import FindingDisposed, TargetReconciled, TargetUnobserved
from sojourn.domain.finding import UNOBSERVED, finding_id, gap_id
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import FindingId, TargetName
from sojourn.domain.window import Window

from .attributes import Disposed


@dataclass(slots=True, kw_only=True)
class Found:
    """A finding. `entry` told of it first, `last_entry` last; `entries` is how many did.

    `over_at` is when a look told of it no more: for a time when nobody could look, its end.
    """

    finding: FindingId
    target: TargetName
    kind: str
    subject: str
    detail: str
    since: datetime
    entry: int
    told_at: datetime
    last_entry: int
    last_at: datetime
    entries: int = 1
    over_at: datetime | None = None
    said: list[Disposed] = field(default_factory=list)

    @property
    def disposed(self) -> Disposed | None:
        """What was said of it last, if anything was."""
        return self.said[-1] if self.said else None

    def open_at(self, moment: datetime) -> bool:
        """Whether it was on record before that moment, and nobody had disposed of it."""
        return self.told_at < moment and not (self.said and self.said[0].at < moment)

    def in_period(self, period: Window) -> bool:
        """Whether it was told of first in the period, or was open when the period began."""
        return self.told_at < period.end and (self.told_at >= period.start or self.open_at(period.start))


def fold_findings(entries: Iterable[Recorded]) -> tuple[Found, ...]:
    """All findings, in the order in which they came on record."""
    found: dict[FindingId, Found] = {}
    current: dict[TargetName, set[FindingId]] = {}
    for one in entries:
        match one.event:
            case TargetReconciled() as event:
                told = {finding_id(event.target, item): item for item in event.findings}
                for finding, item in told.items():
                    _tell(found, one, finding, event.target, (item.kind, item.subject, item.detail), item.since)
                _leave(found, current, event.target, set(told), one.at)
            case TargetUnobserved() as event:
                finding = gap_id(event.target, event.problem, one.at)
                _tell(found, one, finding, event.target, (UNOBSERVED, event.target, event.problem), one.at)
                # Whoever cannot look sees nothing end.
                current.setdefault(event.target, set()).add(finding)
            case FindingDisposed() as event if event.finding in found:
                found[event.finding].said.append(Disposed(entry=one.seq, at=one.at, event=event))
            case _:
                pass
    return tuple(found.values())


def _tell(
    found: dict[FindingId, Found],
    one: Recorded,
    finding: FindingId,
    target: TargetName,
    what: tuple[str, str, str],
    since: datetime,
) -> None:
    known = found.get(finding)
    if known is not None:
        known.last_entry, known.last_at, known.over_at = one.seq, one.at, None
        known.entries += 1
        return
    kind, subject, detail = what
    found[finding] = Found(
        finding=finding,
        target=target,
        kind=str(kind),
        subject=subject,
        detail=detail,
        since=since,
        entry=one.seq,
        told_at=one.at,
        last_entry=one.seq,
        last_at=one.at,
    )


def _leave(
    found: dict[FindingId, Found],
    current: dict[TargetName, set[FindingId]],
    target: TargetName,
    told: set[FindingId],
    at: datetime,
) -> None:
    """What the look does not tell of any more is over."""
    for finding in current.get(target, set()) - told:
        found[finding].over_at = at
    current[target] = told
