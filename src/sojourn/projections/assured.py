"""Questions to the read models about break-glass, reviews and campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, Integer, Select, exists, func, or_, select, type_coerce

from . import tables as t
from .queries import PAGE_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """A review of what was done with `role` on `target`. `remark` is a commitment; `checklist` has a point a line, and
    `answers` are in the same order. `extended` says how often, and `automatic` why nobody decided, or "".
    """

    grant: str
    request: str
    person: str
    target: str
    role: str
    status: str
    due: str
    break_glass: int
    declared: str
    checklist: str
    opened_at: str
    reviewer: str | None
    outcome: str | None
    answers: str | None
    remark: str | None
    concluded_at: str | None
    sessions: int | None
    actions: int | None
    writes: int | None
    seq: int
    extended: int
    automatic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """Something said in a review. `text` is a commitment."""

    grant: str
    number: int
    person: str
    at: str
    text: str
    question: int
    answers: int | None
    answered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassRow:
    """Somebody took an access without a decision beforehand."""

    grant: str
    request: str
    person: str
    taken_at: str
    target: str
    role: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    """A campaign, and how far it is."""

    id: str
    title: str
    status: str
    opened_by: str
    opened_at: str
    due: str
    closed_at: str | None
    items: int
    undecided: int
    kept: int
    removed: int
    proven: int
    configuration_version: int
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignItemRow:
    """What somebody may ask for, and what was decided about it. `reviewers` is a JSON list; `comment` a commitment."""

    campaign: str
    number: int
    person: str
    target: str
    role: str
    rules: str
    reviewers: str
    decision: str | None
    decided_by: str | None
    decided_at: str | None
    comment: str | None
    proven_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was done under an access: sessions, actions, and those that could write.

    `failed` were refused by the target, `unanswered` have no outcome; `rows` were read or changed. `verbs` counts the
    actions by label. `open_questions` of its review wait for a reply.
    """

    sessions: int = 0
    actions: int = 0
    writes: int = 0
    failed: int = 0
    unanswered: int = 0
    rows: int = 0
    open_questions: int = 0
    verbs: dict[str, int] = field(default_factory=dict)


def _reviews() -> Select[tuple[object, ...]]:
    """Reviews with what they are about."""
    about = (t.grant.c.target, t.grant.c.role, t.grant.c.extended, t.request.c.automatic)
    found = select(t.review, *about).join(t.grant, t.grant.c.id == t.review.c.grant)
    return found.join(t.request, t.request.c.id == t.review.c.request)


def reviews(
    connection: Connection,
    *,
    waiting_for: str | None = None,
    person: str | None = None,
    before: int | None = None,
    limit: int = PAGE_MAX,
) -> tuple[ReviewRow, ...]:
    """Reviews, newest first: all, those that `waiting_for` can conclude, or those about what `person` did."""
    query = _reviews().order_by(t.review.c.seq.desc()).limit(min(limit, PAGE_MAX))
    if before is not None:
        query = query.where(t.review.c.seq < before)
    if person is not None:
        query = query.where(t.review.c.person == person)
    if waiting_for is not None:
        own = exists().where(t.reviewer.c.grant == t.review.c.grant, t.reviewer.c.person == waiting_for)
        query = query.where(t.NOT_CONCLUDED, own)
    return tuple(ReviewRow(**row._mapping) for row in connection.execute(query))


def review(connection: Connection, grant: str) -> ReviewRow | None:
    """One review."""
    row = connection.execute(_reviews().where(t.review.c.grant == grant)).first()
    return None if row is None else ReviewRow(**row._mapping)


def reviewers(connection: Connection, grant: str) -> tuple[str, ...]:
    """Who may conclude a review, in order."""
    query = select(t.reviewer.c.person).where(t.reviewer.c.grant == grant).order_by(t.reviewer.c.person)
    return tuple(connection.execute(query).scalars())


def notes(connection: Connection, grant: str) -> tuple[NoteRow, ...]:
    """What was said in a review, in order."""
    query = select(t.note).where(t.note.c.grant == grant).order_by(t.note.c.number)
    return tuple(NoteRow(**row._mapping) for row in connection.execute(query))


_FAILED = t.action.c.outcome == "failed"
_UNANSWERED = t.action.c.outcome.is_(None)


def works(connection: Connection, grants: Sequence[str]) -> dict[str, Work]:
    """What was done under each of these accesses, with as many questions for a page of them as for one."""
    opened = select(t.session.c.grant, func.count()).where(t.session.c.grant.in_(grants)).group_by(t.session.c.grant)
    sessions = {row[0]: row[1] for row in connection.execute(opened)}
    waiting = (t.note.c.question == 1, t.note.c.answered == 0, t.note.c.grant.in_(grants))
    asked = select(t.note.c.grant, func.count()).where(*waiting).group_by(t.note.c.grant)
    questions = {row[0]: row[1] for row in connection.execute(asked)}
    failed, unanswered = (type_coerce(one, Integer) for one in (_FAILED, _UNANSWERED))
    sums = [func.coalesce(func.sum(one), 0) for one in (t.action.c.may_write, failed, unanswered, t.action.c.rows)]
    done = (
        select(t.session.c.grant, t.action.c.verb, func.count(), *sums)
        .join(t.action, t.action.c.session == t.session.c.id)
        .where(t.session.c.grant.in_(grants))
        .group_by(t.session.c.grant, t.action.c.verb)
    )
    by_verb: dict[str, dict[str, tuple[int, ...]]] = {grant: {} for grant in grants}
    for grant, verb, *counted in connection.execute(done):
        by_verb[grant][verb] = tuple(counted)
    return {grant: _work(sessions.get(grant, 0), questions.get(grant, 0), found) for grant, found in by_verb.items()}


def _work(sessions: int, questions: int, by_verb: Mapping[str, tuple[int, ...]]) -> Work:
    """One access, from what each label comes to: its actions, those that could write, failed, unanswered, and rows."""
    actions, writes, failed, unanswered, rows = (sum(one[place] for one in by_verb.values()) for place in range(5))
    return Work(
        sessions=sessions,
        actions=actions,
        writes=writes,
        failed=failed,
        unanswered=unanswered,
        rows=rows,
        open_questions=questions,
        verbs={verb: counted[0] for verb, counted in by_verb.items()},
    )


def work(connection: Connection, grant: str) -> Work:
    """What was done under an access."""
    return works(connection, [grant])[grant]


def touched(connection: Connection, grant: str, limit: int = 100) -> tuple[tuple[str, str, int], ...]:
    """What was done to which objects under an access, and how often; what was touched most comes first."""
    labelled = (t.action.c.verb, t.action.c.objects)
    query = (
        select(*labelled, func.count())
        .join(t.session, t.session.c.id == t.action.c.session)
        .where(t.session.c.grant == grant)
        .group_by(*labelled)
        .order_by(func.count().desc(), *labelled)
        .limit(limit)
    )
    return tuple((verb, objects, times) for verb, objects, times in connection.execute(query))


def glass_told(connection: Connection, person: str, limit: int = PAGE_MAX) -> tuple[GlassRow, ...]:
    """The uses of break-glass that `person` was told of and that nobody has reviewed yet, newest first."""
    concluded = exists().where(t.review.c.grant == t.glass.c.grant, t.review.c.status == "concluded")
    columns = (t.glass.c.grant, t.glass.c.request, t.glass.c.person, t.glass.c.taken_at)
    query = (
        select(*columns, t.grant.c.target, t.grant.c.role, t.grant.c.status)
        .join(t.told, t.told.c.grant == t.glass.c.grant)
        .join(t.grant, t.grant.c.id == t.glass.c.grant)
        .where(t.told.c.person == person, ~concluded)
        .order_by(t.glass.c.seq.desc())
        .limit(limit)
    )
    return tuple(GlassRow(**row._mapping) for row in connection.execute(query))


def watches(connection: Connection, person: str, request: str) -> bool:
    """Whether `person` was told of the access that this request began, by break-glass, or is one of its reviewers."""
    told = select(t.told.c.person).join(t.glass, t.glass.c.grant == t.told.c.grant)
    told = told.where(t.glass.c.request == request, t.told.c.person == person)
    reviews_it = select(t.reviewer.c.person).join(t.review, t.review.c.grant == t.reviewer.c.grant)
    reviews_it = reviews_it.where(t.review.c.request == request, t.reviewer.c.person == person)
    return connection.execute(told.union(reviews_it)).first() is not None


def to_review(connection: Connection, since: str, limit: int = PAGE_MAX) -> tuple[tuple[str, str, bool], ...]:
    """Accesses that ended since a moment and whose review is not open yet: grant, its end, whether it was used."""
    used = exists().where(t.session.c.grant == t.grant.c.id)
    query = select(t.grant.c.id, t.grant.c.ended_at, used.label("used")).where(
        t.grant.c.review_within.is_not(None),
        t.grant.c.review_opened.is_(None),
        t.grant.c.ended_at >= since,
        or_(used, t.grant.c.break_glass == 1),
    )
    rows = connection.execute(query.order_by(t.grant.c.ended_at).limit(limit))
    return tuple((grant, ended_at, bool(was_used)) for grant, ended_at, was_used in rows)


def reviews_due(connection: Connection, now: str, limit: int = PAGE_MAX) -> tuple[str, ...]:
    """Reviews that should be concluded by now and are not."""
    query = select(t.review.c.grant).where(t.NOT_OVERDUE_YET, t.review.c.due <= now)
    return tuple(connection.execute(query.order_by(t.review.c.due).limit(limit)).scalars())


def _decides(reviewer: str) -> ColumnElement[bool]:
    """That `reviewer` stands in the JSON list of those who decide on an item."""
    return func.instr(t.campaign_item.c.reviewers, f'"{reviewer}"') > 0


def campaigns(
    connection: Connection, *, reviewer: str | None = None, before: int | None = None, limit: int = PAGE_MAX
) -> tuple[CampaignRow, ...]:
    """Campaigns, newest first: all, or those in which `reviewer` decides on something."""
    query = select(t.campaign).order_by(t.campaign.c.seq.desc()).limit(min(limit, PAGE_MAX))
    if before is not None:
        query = query.where(t.campaign.c.seq < before)
    if reviewer is not None:
        query = query.where(exists().where(t.campaign_item.c.campaign == t.campaign.c.id, _decides(reviewer)))
    return tuple(CampaignRow(**row._mapping) for row in connection.execute(query))


def campaign(connection: Connection, name: str, *, reviewer: str | None = None) -> CampaignRow | None:
    """One campaign; with `reviewer` only if they decide on something in it."""
    query = select(t.campaign).where(t.campaign.c.id == name)
    if reviewer is not None:
        query = query.where(exists().where(t.campaign_item.c.campaign == t.campaign.c.id, _decides(reviewer)))
    row = connection.execute(query).first()
    return None if row is None else CampaignRow(**row._mapping)


def campaign_items(
    connection: Connection, name: str, *, reviewer: str | None = None, after: int = 0, limit: int = PAGE_MAX
) -> tuple[CampaignItemRow, ...]:
    """What a campaign looks at, in order, above a number; with `reviewer` what they decide on."""
    query = select(t.campaign_item).where(t.campaign_item.c.campaign == name, t.campaign_item.c.number > after)
    if reviewer is not None:
        query = query.where(_decides(reviewer))
    rows = connection.execute(query.order_by(t.campaign_item.c.number).limit(min(limit, PAGE_MAX)))
    return tuple(CampaignItemRow(**row._mapping) for row in rows)


def campaigns_due(connection: Connection, now: str) -> tuple[str, ...]:
    """Open campaigns whose time is up, or in which everything is decided."""
    query = select(t.campaign.c.id).where(
        t.campaign.c.status == "open", or_(t.campaign.c.due <= now, t.campaign.c.undecided == 0)
    )
    return tuple(connection.execute(query).scalars())


def live_grants(connection: Connection, person: str, target: str, role: str) -> tuple[str, ...]:
    """The accesses of that kind that are not read back as gone."""
    query = select(t.grant.c.id).where(
        t.grant.c.person == person,
        t.grant.c.target == target,
        t.grant.c.role == role,
        t.grant.c.status != "removed",
    )
    return tuple(connection.execute(query).scalars())
