"""The fold of access events: which entry belongs to which request, and what it changes there.

An entry that belongs to nothing that is known is kept in `strays`: in a sound ledger there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    ApprovalWithdrawn,
    AttemptRefused,
    BreakGlassUsed,
    CancelRequested,
    Event,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
    Outcome,
    RequestActivated,
    RequestApproved,
    RequestCommented,
    RequestDenied,
    RequestEscalated,
    RequestExpired,
    RequestRevised,
    RequestSubmitted,
    RequestWithdrawn,
    ReviewConcluded,
    ReviewNoted,
    ReviewOpened,
    ReviewOverdue,
    SessionClosed,
    SessionConnected,
    SessionOpened,
)
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import GrantId, RequestId, SessionId
from sojourn.domain.standing import NOTHING_SAID, Standing

from .access import Access, Attempt, Decision, Given, Looked, Placed, Places, Use
from .actions import Completed, Intended, Taken

ATTEMPTS_MAX = 50
"""Of one access so many refused attempts are kept one by one; all are counted."""


@dataclass(slots=True)
class Fold:
    """Every access event in the order of its request. `take` must see every entry once, in order."""

    requests: dict[RequestId, Access] = field(default_factory=dict)
    grants: dict[GrantId, Given] = field(default_factory=dict)
    sessions: dict[SessionId, tuple[Given, Use]] = field(default_factory=dict)
    strays: Places = field(default_factory=Places)
    _standing: Standing = NOTHING_SAID

    def __iter__(self) -> Iterator[Access]:
        """In the order in which they were asked for."""
        return iter(self.requests.values())

    def of_grant(self, grant: GrantId) -> Access | None:
        """The access event that a grant came of, or None."""
        given = self.grants.get(grant)
        return None if given is None else self.requests.get(given.created.event.request)

    def take(self, one: Taken, event: Event | Intended | Completed, standing: Standing) -> None:
        """The next entry with its event, and the standing of people at that moment."""
        step = _STEPS.get(type(event))
        if step is not None:
            self._standing = standing
            if not step(self, one, event):
                self.strays.add(one.seq)

    def submitted(self, one: Recorded, event: RequestSubmitted) -> bool:
        """An access event begins."""
        placed = Placed(seq=one.seq, at=one.at, event=event)
        number = len(self.requests) + 1
        self.requests[event.request] = Access(number=number, request=event.request, submitted=placed, asked=placed)
        return True

    def in_request(self, one: Recorded, event: Any) -> bool:
        """Something happened to a request."""
        access = self.requests.get(event.request)
        if access is None:
            return False
        match event:
            case RequestRevised():
                access.asked = Placed(seq=one.seq, at=one.at, event=event.content)
                access.superseded += len(access.approvals)
                access.approvals.clear()
                access.revisions += 1
            case RequestCommented():
                access.comments += 1
                access.open_questions += event.question - (event.answers is not None)
            case RequestEscalated():
                access.escalated = True
            case RequestApproved() | RequestDenied():
                decision = Decision(seq=one.seq, at=one.at, event=event, standing=self._standing)
                if isinstance(event, RequestApproved):
                    access.approvals.append(decision)
                else:
                    access.denial = decision
            case ApprovalWithdrawn():
                place = event.on_behalf_of or event.person
                access.approvals[:] = [
                    one for one in access.approvals if (one.event.on_behalf_of or one.event.person) != place
                ]
            case RequestWithdrawn():
                access.withdrawn_at = one.at
            case RequestExpired():
                access.lapsed_at, access.lapse = one.at, event.cause
            case RequestActivated():
                access.activated_at, access.activated_seq, access.grant = one.at, one.seq, event.grant
            case BreakGlassUsed():
                access.break_glass = Placed(seq=one.seq, at=one.at, event=event)
        return True

    def created(self, one: Recorded, event: GrantCreated) -> bool:
        """A request became a grant."""
        access = self.requests.get(event.request)
        given = Given(created=Placed(seq=one.seq, at=one.at, event=event), window=event.window)
        self.grants[event.grant] = given
        if access is None:
            return False
        access.given, access.grant = given, event.grant
        return True

    def in_grant(self, one: Recorded, event: Any) -> bool:
        """Something happened to a grant, or to its review."""
        given = self.grants.get(event.grant)
        if given is None:
            return False
        match event:
            case GrantProvisioned():
                given.provisioned_at, given.provisioned_seq, given.observed = one.at, one.seq, event.observed
            case GrantExtended():
                given.window = replace(given.window, end=max(event.until, given.window.end))
                given.extended_by.append(event.request)
            case GrantEnded():
                given.ended = Placed(seq=one.seq, at=one.at, event=event)
            case GrantRemovalFailed():
                given.removal_failures += 1
                given.last_problem = event.problem
            case GrantRemovalOverdue():
                given.overdue_at = given.overdue_at or one.at
            case GrantRemoved():
                given.removed = Placed(seq=one.seq, at=one.at, event=event)
            case ReviewOpened():
                given.review = Looked(opened=Placed(seq=one.seq, at=one.at, event=event))
            case ReviewNoted() | ReviewOverdue() | ReviewConcluded():
                return _review(given.review, one, event)
        return True

    def opened(self, one: Recorded, event: SessionOpened) -> bool:
        """A session begins."""
        given = self.grants.get(event.grant)
        if given is None:
            return False
        use = Use(
            session=event.session,
            seq=one.seq,
            opened_at=one.at,
            source=event.source,
            application=event.application,
        )
        given.uses[event.session] = use
        self.sessions[event.session] = (given, use)
        if not given.window.contains(one.at):
            given.outside.add(one.seq)
        return True

    def in_session(self, one: Recorded, event: Any) -> bool:
        """Something happened in a session."""
        found = self.sessions.get(event.session)
        if found is None:
            return False
        use = found[1]
        match event:
            case SessionConnected():
                use.process = event.process
            case CancelRequested():
                use.cancels += 1
            case SessionClosed():
                use.closed_at, use.cause, use.cut_lag_us = one.at, event.cause, event.cut_lag_us
        return True

    def intended(self, one: Taken, event: ActionIntended | Intended) -> bool:
        """An action is about to happen."""
        found = self.sessions.get(event.session)
        if found is None:
            return False
        (given, use), at, window = found, one.at, found[0].window
        use.actions += 1
        use.verbs[event.verb] += 1
        if event.may_write:
            use.writes += 1
        if use.first_at is None:
            use.first_at = at
        use.last_at = at
        # Nearly all entries come by here, so the window is not asked by a call.
        if not window.start <= at < window.end:
            given.outside.add(one.seq)
        if event.number != use.actions:
            given.misnumbered.add(one.seq)
        return True

    def completed(self, _: Taken, event: ActionCompleted | Completed) -> bool:
        """An action is over."""
        found = self.sessions.get(event.session)
        if found is None:
            return False
        use = found[1]
        use.completed += 1
        use.failed += event.outcome is Outcome.FAILED
        use.rows += event.rows
        use.bytes_in += event.bytes_in
        use.bytes_out += event.bytes_out
        return True

    def refused(self, one: Recorded, event: AttemptRefused) -> bool:
        """Somebody tried something; what is about no access is nobody's."""
        kind, _, name = event.subject.partition("/")
        access = None
        if kind == "request":
            access = self.requests.get(RequestId(name))
        elif kind in ("grant", "review"):
            access = self.of_grant(GrantId(name))
        elif kind == "session" and SessionId(name) in self.sessions:
            access = self.of_grant(self.sessions[SessionId(name)][0].id)
        if access is not None:
            access.attempts_total += 1
            if len(access.attempts) < ATTEMPTS_MAX:
                attempt = Attempt(seq=one.seq, at=one.at, verb=event.verb, actor=event.actor, code=event.code)
                access.attempts.append(attempt)
        return True


def _review(review: Looked | None, one: Recorded, event: ReviewNoted | ReviewOverdue | ReviewConcluded) -> bool:
    if review is None:
        return False
    match event:
        case ReviewNoted():
            review.notes += 1
            review.questions += event.question - (event.answers is not None)
        case ReviewOverdue():
            review.overdue = Placed(seq=one.seq, at=one.at, event=event)
        case ReviewConcluded():
            review.concluded = Placed(seq=one.seq, at=one.at, event=event)
    return True


_STEPS: dict[type[Any], Callable[[Fold, Any, Any], bool]] = {
    RequestSubmitted: Fold.submitted,
    **dict.fromkeys(
        (
            RequestRevised,
            RequestCommented,
            RequestEscalated,
            RequestApproved,
            RequestDenied,
            ApprovalWithdrawn,
            RequestWithdrawn,
            RequestExpired,
            RequestActivated,
            BreakGlassUsed,
        ),
        Fold.in_request,
    ),
    GrantCreated: Fold.created,
    **dict.fromkeys(
        (
            GrantProvisioned,
            GrantExtended,
            GrantEnded,
            GrantRemovalFailed,
            GrantRemovalOverdue,
            GrantRemoved,
            ReviewOpened,
            ReviewNoted,
            ReviewOverdue,
            ReviewConcluded,
        ),
        Fold.in_grant,
    ),
    SessionOpened: Fold.opened,
    **dict.fromkeys((ActionIntended, Intended), Fold.intended),
    **dict.fromkeys((ActionCompleted, Completed), Fold.completed),
    **dict.fromkeys((SessionConnected, CancelRequested, SessionClosed), Fold.in_session),
    AttemptRefused: Fold.refused,
}
