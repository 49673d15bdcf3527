"""Years of a large company as entries of the ledger: requests, grants, sessions, actions, reviews and refusals.

They are folded into the read models as control folds what is on record, and nothing is written past that. Who, what
and when follow from the number of a request, so the same size gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    AttemptRefused,
    CloseCause,
    EndCause,
    Event,
    GrantCreated,
    GrantEnded,
    GrantProvisioned,
    GrantRemoved,
    Outcome,
    RequestActivated,
    RequestApproved,
    RequestDenied,
    RequestSubmitted,
    RequestWithdrawn,
    ReviewConcluded,
    ReviewOpened,
    ReviewOutcome,
    SessionClosed,
    SessionConnected,
    SessionOpened,
)
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import (
    ATTEMPTS,
    GrantId,
    PersonId,
    RequestId,
    RoleName,
    RuleName,
    SessionId,
    StreamName,
    TargetName,
    TokenId,
    grant_stream,
    request_stream,
    review_stream,
    session_stream,
)
from sojourn.domain.policy import ApproverGroup
from sojourn.domain.policy.terms import Review
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window

NAMED = ("alice", "bob", "carol", "dora")
PEOPLE = tuple(map(PersonId, (*NAMED, *(f"p{number:03}" for number in range(196)))))
TARGETS = tuple(map(TargetName, ("shop", *(f"t{number:03}" for number in range(299)))))
APART = timedelta(seconds=90)
"""So much time is between two requests."""

LIVE = 200
"""So many of the newest requests wait for a decision, and as many before them are accesses in use."""

BUSY_ACTIONS = 20_000
"""What was done in the one session in which most was done."""

REVIEWED_EVERY, DENIED_EVERY, WITHDRAWN_EVERY, REFUSED_EVERY = 10, 50, 75, 5
BATCH = 20_000


@dataclass(slots=True)
class History:
    """`requests` requests and some 20 actions for each, from place `seq` on, beginning at `moment`.

    `sealed` are values that the reasons are taken from in turns.
    """

    requests: int
    seq: int
    moment: datetime
    sealed: tuple[Sealed, ...]

    def batches(self) -> Iterator[list[Recorded]]:
        """All entries in order, thousands at a time."""
        batch: list[Recorded] = []
        for number in range(self.requests):
            at = self.moment + APART * number
            versions: dict[StreamName, int] = {}
            for stream, event in self._life(number, at):
                versions[stream] = version = versions.get(stream, 0) + 1
                batch.append(Recorded(seq=self.seq, at=at, stream=stream, version=version, event=event))
                self.seq += 1
            if len(batch) >= BATCH:
                yield batch
                batch = []
        yield batch

    def _life(self, number: int, at: datetime) -> Iterator[tuple[StreamName, Event]]:
        """Everything that happened about one request."""
        age = self.requests - number
        asked = self._asked(number, at)
        stream = request_stream(asked.request)
        yield stream, asked
        if number % REFUSED_EVERY == 0:
            yield ATTEMPTS, _refused(asked)
        if age <= LIVE:
            return
        first, second = asked.groups[0].people[:2]
        if number % DENIED_EVERY == 1:
            yield stream, _denied(asked, first)
        elif number % WITHDRAWN_EVERY == 2:
            yield stream, RequestWithdrawn(request=asked.request, person=asked.person, source="10.0.0.1")
        else:
            yield stream, _approved(asked, second)
            grant = GrantId(named("g", number))
            yield stream, RequestActivated(request=asked.request, person=asked.person, grant=grant, source="10.0.0.1")
            yield from self._used(number, asked, grant, at, over=age > 2 * LIVE)

    def _asked(self, number: int, at: datetime) -> RequestSubmitted:
        person = number % len(PEOPLE)
        approvers = tuple(sorted(PEOPLE[(person + step) % len(PEOPLE)] for step in (1, 2, 3)))
        return RequestSubmitted(
            request=RequestId(named("r", number)),
            person=PEOPLE[person],
            target=TARGETS[number % len(TARGETS)],
            role=RoleName("read" if number % 3 else "amend"),
            duration=timedelta(hours=1),
            reason=self.sealed[number % len(self.sealed)],
            digest=f"{number:064x}",
            rules=(RuleName("work"),),
            groups=(ApproverGroup(name="approvers", people=approvers, needed=1),),
            decide_by=at + timedelta(hours=24),
            activate_within=timedelta(hours=8),
            configuration_version=1,
            configuration_digest="0" * 64,
            source="10.0.0.1",
        )

    def _used(
        self, number: int, asked: RequestSubmitted, grant: GrantId, at: datetime, *, over: bool
    ) -> Iterator[tuple[StreamName, Event]]:
        stream, reviewed = grant_stream(grant), number % REVIEWED_EVERY == 0
        review = Review(within=timedelta(days=2), people=asked.groups[0].people)
        yield (
            stream,
            GrantCreated(
                grant=grant,
                request=asked.request,
                person=asked.person,
                target=asked.target,
                role=asked.role,
                window=Window(start=at, end=at + asked.duration),
                credential=f"sojourn_{number:010d}",
                configuration_version=1,
                review=review if reviewed else None,
            ),
        )
        yield stream, GrantProvisioned(grant=grant, observed=("shop.orders select",), secret=self.sealed[0])
        yield from self._session(number, asked, grant, over=over)
        if not over:
            return
        yield stream, GrantEnded(grant=grant, cause=EndCause.EXPIRED)
        yield (
            stream,
            GrantRemoved(grant=grant, role_present=False, sessions_present=0, sessions_terminated=0, read_back_at=at),
        )
        if reviewed:
            yield from _reviewed(asked, grant, review, at, concluded=self.requests - number > 40 * LIVE)

    def _session(
        self, number: int, asked: RequestSubmitted, grant: GrantId, *, over: bool
    ) -> Iterator[tuple[StreamName, Event]]:
        session = SessionId(named("s", number))
        stream = session_stream(session)
        opened = SessionOpened(
            session=session,
            grant=grant,
            person=asked.person,
            target=asked.target,
            role=asked.role,
            database="shop",
            token=TokenId("t-0000000001"),
            node="measuring/gateway",
            source="10.0.0.1",
            application="psql",
            tls="TLSv1.3",
        )
        yield stream, opened
        yield stream, SessionConnected(session=session, process=number)
        actions = BUSY_ACTIONS if number == BUSY else 10 + number % 23
        for place in range(1, actions + 1):
            yield stream, _intended(session, place, self.sealed[place % len(self.sealed)])
            yield stream, _completed(session, place)
        if over:
            cause = CloseCause.CLIENT_CLOSED
            yield stream, SessionClosed(session=session, cause=cause, actions=actions, bytes_in=0, bytes_out=0)


BUSY = 100
"""The request under which most was done."""


def named(kind: str, number: int) -> str:
    """A name in no order, as real ones are: it falls anywhere in an index."""
    return f"{kind}-{number * 2_654_435_761 % 10**10:010d}"


_INTENDED = ActionIntended(
    session=SessionId(""),
    number=1,
    protocol="postgres",
    verb="read",
    may_write=False,
    objects=("shop.orders",),
    detail=Sealed(commitment="0" * 64, key="k"),
)
_COMPLETED = ActionCompleted(
    session=SessionId(""),
    number=1,
    outcome=Outcome.COMPLETED,
    tags=("SELECT 1",),
    sqlstate="",
    rows=1,
    bytes_in=64,
    bytes_out=64,
    duration_us=400,
)


def _intended(session: SessionId, number: int, detail: Sealed) -> ActionIntended:
    return replace(_INTENDED, session=session, number=number, may_write=number % 7 == 0, detail=detail)


def _completed(session: SessionId, number: int) -> ActionCompleted:
    return replace(_COMPLETED, session=session, number=number, rows=number)


def _approved(asked: RequestSubmitted, person: PersonId) -> RequestApproved:
    return RequestApproved(
        request=asked.request,
        person=person,
        digest=asked.digest,
        complete=True,
        activate_by=asked.decide_by,
        configuration_version=1,
        source="10.0.0.2",
    )


def _denied(asked: RequestSubmitted, person: PersonId) -> RequestDenied:
    return RequestDenied(
        request=asked.request, person=person, digest=asked.digest, configuration_version=1, source="10.0.0.2"
    )


def _refused(asked: RequestSubmitted) -> AttemptRefused:
    return AttemptRefused(
        verb="approve",
        actor=asked.person,
        code="request.not_an_approver",
        subject=request_stream(asked.request),
        source="10.0.0.1",
        details=(("person", asked.person),),
    )


def _reviewed(
    asked: RequestSubmitted, grant: GrantId, review: Review, at: datetime, *, concluded: bool
) -> Iterator[tuple[StreamName, Event]]:
    stream = review_stream(grant)
    yield (
        stream,
        ReviewOpened(
            grant=grant,
            request=asked.request,
            person=asked.person,
            reviewers=review.people,
            involved=(),
            due=at + review.within,
            teams=(),
            break_glass=False,
            declared=(),
            checklist=("Was it what was declared?",),
            configuration_version=1,
        ),
    )
    if concluded:
        yield (
            stream,
            ReviewConcluded(
                grant=grant,
                person=review.people[0],
                outcome=ReviewOutcome.APPROPRIATE,
                answers=("yes",),
                remark=None,
                sessions=1,
                actions=20,
                writes=2,
                source="10.0.0.2",
            ),
        )
