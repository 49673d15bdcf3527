"""Questions to the read models, answered a page at a time.

A page goes on where the last one stopped: `before` is the `seq` of the last row that was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Connection, Row, Select, Table, bindparam, exists, select

from . import tables as t

PAGE_MAX = 500
SUBJECTS_PER_QUERY = 500
"""Far below the number of parameters that SQLite takes (32,766)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverRow:
    """One person who may decide on a request, and what was decided in their place by `acted`, mostly themselves.

    `comment` is a commitment.
    """

    person: str
    decision: str | None
    decided_at: str | None
    comment: str | None
    acted: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentRow:
    """Something said about a request. `text` is a commitment; a question is `answered` once somebody has."""

    request: str
    number: int
    person: str
    at: str
    text: str
    question: int
    answers: int | None
    answered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request. `reason` is a commitment; times are RFC 3339; `facts` and `groups` are JSON; `took_us` is how many
    microseconds it took from asking to the last decision.
    """

    id: str
    person: str
    target: str
    role: str
    seconds: int
    reason: str
    digest: str
    rules: str
    approvals: int
    status: str
    submitted_at: str
    due: str | None
    decided_at: str | None
    grant: str | None
    revision: int
    start: str | None
    extends: str | None
    since: str | None
    break_glass: int
    automatic: str
    escalate_at: str | None
    escalated_at: str | None
    cause: str | None
    facts: str
    groups: str
    took_us: int | None
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """A grant. `observed` are the privileges as read back, one a line; `day` (UTC) is the one that it begins on."""

    id: str
    request: str
    person: str
    target: str
    role: str
    start: str
    end: str
    credential: str
    status: str
    observed: str | None
    cause: str | None
    ended_by: str | None
    ended_at: str | None
    removed_at: str | None
    problem: str | None
    extended: int
    prolonged_to: str | None
    overdue_since: str | None
    leftovers: str | None
    break_glass: int
    review_within: int | None
    review_opened: int | None
    day: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session."""

    id: str
    grant: str
    person: str
    target: str
    role: str
    source: str
    application: str
    opened_at: str
    closed_at: str | None
    cause: str | None
    actions: int
    cut_lag_us: int | None
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token, without anything that could be its secret."""

    id: str
    person: str
    purpose: str
    issued_at: str
    expires_at: str
    revoked_at: str | None
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """A refused attempt. `details` is a JSON object of texts."""

    seq: int
    at: str
    verb: str
    actor: str
    code: str
    subject: str
    source: str
    details: str


R = TypeVar("R", RequestRow, GrantRow, SessionRow, AttemptRow, ApproverRow, TokenRow, CommentRow)


_DECISION_NAMES = ("person", "decision", "decided_at", "comment", "acted")
_DECISION = tuple(t.approver.c[name] for name in _DECISION_NAMES)
_NAME: BindParameter[str] = bindparam("name")
# Asked at every step of a request's life, so they are put together once.
_REQUEST = select(t.request).where(t.request.c.id == _NAME)
_APPROVERS = select(*_DECISION).where(t.approver.c.request == _NAME).order_by(t.approver.c.person)
_COMMENTS = select(t.comment).where(t.comment.c.request == _NAME).order_by(t.comment.c.number)
_GRANT = select(t.grant).where(t.grant.c.id == _NAME)


def requests(
    connection: Connection,
    *,
    person: str | None = None,
    statuses: Sequence[str] = (),
    waiting_for: Sequence[str] | None = None,
    before: int | None = None,
    limit: int = PAGE_MAX,
) -> tuple[RequestRow, ...]:
    """Requests, newest first: of a person, in one of some statuses, or pending and waiting for certain people."""
    query = _newest(t.request, before, limit)
    if person is not None:
        query = query.where(t.request.c.person == person)
    if statuses:
        query = query.where(t.request.c.status.in_(statuses))
    if waiting_for is not None:
        # Asked of each pending request, of which there are few, and not of all that the person was ever shown.
        waiting = exists().where(
            t.approver.c.request == t.request.c.id,
            t.approver.c.person.in_(waiting_for),
            t.approver.c.decision.is_(None),
        )
        query = query.where(t.request.c.status == "pending", waiting)
    return _all(connection, query, RequestRow)


def request(connection: Connection, name: str) -> RequestRow | None:
    """One request."""
    return _one(connection, _REQUEST, RequestRow, name=name)


def approvers(connection: Connection, name: str) -> tuple[ApproverRow, ...]:
    """Who may decide on a request, and what they decided."""
    return _all(connection, _APPROVERS, ApproverRow, name=name)


def approvers_of(connection: Connection, names: Sequence[str]) -> dict[str, list[ApproverRow]]:
    """The same for several requests, at most a page of them, by request."""
    query = select(t.approver.c.request, *_DECISION).where(t.approver.c.request.in_(names))
    found: dict[str, list[ApproverRow]] = {}
    for name, *values in connection.execute(query.order_by(t.approver.c.request, t.approver.c.person)):
        found.setdefault(name, []).append(ApproverRow(**dict(zip(_DECISION_NAMES, values, strict=True))))
    return found


def comments(connection: Connection, name: str) -> tuple[CommentRow, ...]:
    """What was said about a request, in order."""
    return _all(connection, _COMMENTS, CommentRow, name=name)


def approved_by(connection: Connection, person: str, *, since: str) -> tuple[str, ...]:
    """Whose requests `person` has approved since a moment, each once, in order."""
    query = (
        select(t.request.c.person)
        .distinct()
        .join(t.approver, t.approver.c.request == t.request.c.id)
        .where(t.approver.c.person == person, t.approver.c.decision == "approved", t.approver.c.decided_at >= since)
    )
    return tuple(connection.execute(query.order_by(t.request.c.person)).scalars())


def to_escalate(connection: Connection, now: str, limit: int = PAGE_MAX) -> tuple[str, ...]:
    """Pending requests on which more people may decide since before `now`, which is not on record yet."""
    query = select(t.request.c.id).where(t.NOT_ESCALATED, t.request.c.escalate_at <= now)
    return tuple(connection.execute(query.order_by(t.request.c.escalate_at).limit(limit)).scalars())


def grants(
    connection: Connection,
    *,
    person: str | None = None,
    target: str | None = None,
    status: str | None = None,
    before: int | None = None,
    limit: int = PAGE_MAX,
) -> tuple[GrantRow, ...]:
    """Grants, newest first."""
    query = _newest(t.grant, before, limit)
    for column, value in ((t.grant.c.person, person), (t.grant.c.target, target), (t.grant.c.status, status)):
        if value is not None:
            query = query.where(column == value)
    return _all(connection, query, GrantRow)


def grant(connection: Connection, name: str) -> GrantRow | None:
    """One grant."""
    return _one(connection, _GRANT, GrantRow, name=name)


def sessions(
    connection: Connection,
    *,
    grant: str | None = None,
    person: str | None = None,
    open_only: bool = False,
    before: int | None = None,
    limit: int = PAGE_MAX,
) -> tuple[SessionRow, ...]:
    """Sessions, newest first."""
    query = _newest(t.session, before, limit)
    if grant is not None:
        query = query.where(t.session.c.grant == grant)
    if person is not None:
        query = query.where(t.session.c.person == person)
    if open_only:
        query = query.where(t.session.c.closed_at.is_(None))
    return _all(connection, query, SessionRow)


def session(connection: Connection, name: str) -> SessionRow | None:
    """One session."""
    return _one(connection, select(t.session).where(t.session.c.id == name), SessionRow)


def attempts(
    connection: Connection,
    *,
    subjects: Sequence[str] = (),
    actor: str | None = None,
    before: int | None = None,
    limit: int = PAGE_MAX,
) -> tuple[AttemptRow, ...]:
    """Refused attempts, newest first: about certain streams, or of an actor."""
    query = _newest(t.attempt, before, limit)
    if subjects:
        query = query.where(t.attempt.c.subject.in_(subjects))
    if actor is not None:
        query = query.where(t.attempt.c.actor == actor)
    return _all(connection, query, AttemptRow)


def live_tokens(connection: Connection, person: str, now: str) -> tuple[TokenRow, ...]:
    """The tokens of a person that are neither revoked nor over at `now`, newest first."""
    query = select(t.token).where(
        t.token.c.person == person, t.token.c.revoked_at.is_(None), t.token.c.expires_at > now
    )
    return _all(connection, query.order_by(t.token.c.seq.desc()), TokenRow)


def unfinished(connection: Connection) -> int | None:
    """The place of the oldest request or grant that is not finished: may be decided, used, ended or removed yet."""
    request, grant = t.request.c, t.grant.c
    places = [
        select(column.seq).where(column.status == status).order_by(column.seq).limit(1)
        for column, statuses in (
            (request, ("pending", "approved")),
            (grant, ("provisioning", "active", "ended")),
        )
        for status in statuses
    ]
    found = [seq for query in places for seq in connection.execute(query).scalars()]
    return min(found, default=None)


def session_ids(connection: Connection, grant: str) -> tuple[str, ...]:
    """Every session of a grant in order, however many: evidence is whole or it is none."""
    query = select(t.session.c.id).where(t.session.c.grant == grant).order_by(t.session.c.seq)
    return tuple(connection.execute(query).scalars())


def attempt_places(connection: Connection, subjects: Sequence[str]) -> tuple[int, ...]:
    """The place of every refused attempt about these streams, in order, however many."""
    places: set[int] = set()
    for start in range(0, len(subjects), SUBJECTS_PER_QUERY):
        part = subjects[start : start + SUBJECTS_PER_QUERY]
        places.update(connection.execute(select(t.attempt.c.seq).where(t.attempt.c.subject.in_(part))).scalars())
    return tuple(sorted(places))


def _newest(table: Table, before: int | None, limit: int) -> Select[tuple[object, ...]]:
    """Rows newest first, from just before the place `before` on."""
    query = select(table).order_by(table.c.seq.desc()).limit(_page(limit))
    return query if before is None else query.where(table.c.seq < before)


def _page(limit: int) -> int:
    """A page's length within bounds; SQLite reads a negative limit as none at all."""
    return max(0, min(limit, PAGE_MAX))


def _all(connection: Connection, query: Select[Any], kind: type[R], **given: str) -> tuple[R, ...]:
    return tuple(_row(row, kind) for row in connection.execute(query, given))


def _one(connection: Connection, query: Select[Any], kind: type[R], **given: str) -> R | None:
    row = connection.execute(query, given).first()
    return None if row is None else _row(row, kind)


def _row(row: Row[tuple[object, ...]], kind: type[R]) -> R:
    return kind(**row._mapping)
