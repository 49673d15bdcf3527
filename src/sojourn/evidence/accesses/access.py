"""One access event: a request and all that came of it, as the ledger tells it up to some entry.

- It begins with the request. Requests that were denied, withdrawn or never used are access events too.
- A request for more time is an event of its own; the grant that it prolongs knows of it.
- What was done is counted, not kept, so that a year of it fits in memory; of what is out of order the places are kept,
  the first `PLACES_MAX` of each kind.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from sojourn.domain.events import (
    BreakGlassUsed,
    CloseCause,
    GrantCreated,
    GrantEnded,
    GrantRemoved,
    LapseCause,
    RequestApproved,
    RequestDenied,
    RequestSubmitted,
    ReviewConcluded,
    ReviewOpened,
    ReviewOverdue,
)
from sojourn.domain.identifiers import GrantId, RequestId, SessionId
from sojourn.domain.standing import Standing
from sojourn.domain.window import Window

Said = TypeVar("Said")

PLACES_MAX = 20
"""So many places of each kind of disorder are named; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(Generic[Said]):
    """An event with its place in the ledger and its time."""

    seq: int
    at: datetime
    event: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision with the standing of people at that moment."""

    seq: int
    at: datetime
    event: RequestApproved | RequestDenied
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Something about this access that was tried and refused."""

    seq: int
    at: datetime
    verb: str
    actor: str
    code: str


@dataclass(slots=True)
class Places:
    """How often something was out of order, and where first."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, seq: int) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < PLACES_MAX:
            self.first.append(seq)


@dataclass(slots=True, kw_only=True)
class Use:
    """One session, its actions counted. `unanswered` intents have no outcome on record."""

    session: SessionId
    seq: int
    opened_at: datetime
    source: str
    application: str
    process: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    actions: int = 0
    completed: int = 0
    failed: int = 0
    writes: int = 0
    rows: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    cancels: int = 0
    closed_at: datetime | None = None
    cause: CloseCause | None = None
    cut_lag_us: int | None = None
    verbs: Counter[str] = field(default_factory=Counter)

    @property
    def unanswered(self) -> int:
        """Intents without an outcome."""
        return self.actions - self.completed


@dataclass(slots=True, kw_only=True)
class Looked:
    """The review of the access."""

    opened: Placed[ReviewOpened]
    notes: int = 0
    questions: int = 0
    overdue: Placed[ReviewOverdue] | None = None
    concluded: Placed[ReviewConcluded] | None = None

    def open_at(self, moment: datetime) -> bool:
        """Whether it was opened before that moment, and was not concluded before it."""
        return self.opened.at < moment and (self.concluded is None or self.concluded.at >= moment)

    def late_at(self, moment: datetime) -> bool:
        """Whether it was concluded after its due time, or has not been concluded and the moment has come to that."""
        due = self.opened.event.due
        return moment >= due if self.concluded is None or self.concluded.at > moment else self.concluded.at > due


@dataclass(slots=True, kw_only=True)
class Given:
    """The grant that came of the request. `window` reaches to the end that is in force, with every extension."""

    created: Placed[GrantCreated]
    window: Window
    provisioned_at: datetime | None = None
    provisioned_seq: int | None = None
    observed: tuple[str, ...] = ()
    extended_by: list[RequestId] = field(default_factory=list)
    ended: Placed[GrantEnded] | None = None
    removal_failures: int = 0
    last_problem: str = ""
    overdue_at: datetime | None = None
    removed: Placed[GrantRemoved] | None = None
    uses: dict[SessionId, Use] = field(default_factory=dict)
    outside: Places = field(default_factory=Places)
    misnumbered: Places = field(default_factory=Places)
    review: Looked | None = None

    @property
    def id(self) -> GrantId:
        """Its id."""
        return self.created.event.grant

    def total(self, what: str) -> int:
        """The sum of a count of `Use` over all sessions."""
        return sum(getattr(use, what) for use in self.uses.values())

    @property
    def first_use(self) -> tuple[int, datetime] | None:
        """Place and time of the first session, or None."""
        first = next(iter(self.uses.values()), None)
        return None if first is None else (first.seq, first.opened_at)


@dataclass(slots=True, kw_only=True)
class Access:
    """One access event. `asked` is what was asked in the end; decisions before it were about something else."""

    number: int
    request: RequestId
    submitted: Placed[RequestSubmitted]
    asked: Placed[RequestSubmitted]
    revisions: int = 0
    comments: int = 0
    open_questions: int = 0
    escalated: bool = False
    approvals: list[Decision] = field(default_factory=list)
    denial: Decision | None = None
    superseded: int = 0
    withdrawn_at: datetime | None = None
    lapsed_at: datetime | None = None
    lapse: LapseCause | None = None
    activated_at: datetime | None = None
    activated_seq: int | None = None
    grant: GrantId | None = None
    given: Given | None = None
    break_glass: Placed[BreakGlassUsed] | None = None
    attempts: list[Attempt] = field(default_factory=list)
    attempts_total: int = 0

    @property
    def complete(self) -> Decision | None:
        """The approval after which none was missing, or None."""
        return next(
            (one for one in self.approvals if isinstance(one.event, RequestApproved) and one.event.complete), None
        )

    @property
    def kind(self) -> str:
        """`emergency`, `extension`, `automatic` or `standard`."""
        asked = self.asked.event
        if asked.break_glass:
            return "emergency"
        if asked.extends is not None:
            return "extension"
        return "standard" if asked.groups else "automatic"

    @property
    def status(self) -> str:
        """Where it stands: one word, each event in exactly one."""
        if self.denial is not None:
            return "denied"
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.lapsed_at is not None:
            return "lapsed"
        if self.activated_at is None and self.given is None:
            return "approved" if self.complete is not None else "pending"
        if self.given is None:
            return "extended"
        if self.given.removed is not None:
            return "removed"
        return "ended" if self.given.ended is not None else "active"

    @property
    def closed_at(self) -> datetime | None:
        """When nothing more was to come of it, or None while something is."""
        if self.denial is not None:
            return self.denial.at
        if self.given is not None:
            return None if self.given.removed is None else self.given.removed.at
        return self.withdrawn_at or self.lapsed_at or self.activated_at
