"""Read models: folded in order, once, together with their cursor; and the same again after a rebuild."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.event import listen

from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    AttemptRefused,
    BreakGlassUsed,
    CampaignItem,
    CampaignListed,
    CampaignOpened,
    ChunkRecorded,
    CloseCause,
    EndCause,
    Event,
    FactTold,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantProlonged,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
    Outcome,
    ProcessStarted,
    RequestActivated,
    RequestApproved,
    RequestCommented,
    RequestDenied,
    RequestExpired,
    RequestSubmitted,
    RequestWithdrawn,
    ReviewNoted,
    ReviewOpened,
    SessionClosed,
    SessionConnected,
    SessionOpened,
    TargetUnobserved,
    TokenIssued,
    TokenPurpose,
    TokenRevoked,
)
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import (
    ATTEMPTS,
    SYSTEM,
    CampaignId,
    FindingId,
    GrantId,
    PersonId,
    RequestId,
    RuleName,
    SessionId,
    StreamName,
    TokenId,
    break_glass_stream,
    campaign_stream,
    fact_stream,
    grant_stream,
    request_stream,
    review_stream,
    session_stream,
    target_stream,
    token_stream,
)
from sojourn.domain.people import FactKind
from sojourn.domain.policy import ApproverGroup
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window
from sojourn.errors import Code, SojournError
from sojourn.projections import assured, findings, queries, reconciling, tables, timeline
from sojourn.projections.projector import Projections
from sojourn.testing.organisation import ALICE, BOB, CAROL, DAVE, READ, SHOP

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
AT = "2026-03-02T03:00:00.000000Z"
SECOND = timedelta(seconds=1)
REASON, COMMENT, DETAIL, MESSAGE = (Sealed(commitment=letter * 64, key=f"k-{letter}") for letter in "abcd")


class Story:
    """Entries as the ledger would number them, a second apart."""

    def __init__(self) -> None:
        self.entries: list[Recorded] = []

    def add(self, stream: StreamName, *events: Event) -> Story:
        for event in events:
            seq = len(self.entries)
            version = sum(one.stream == stream for one in self.entries) + 1
            at = NOW + seq * SECOND
            self.entries.append(Recorded(seq=seq, at=at, stream=stream, version=version, event=event))
        return self


def submitted(name: str, person: PersonId = ALICE) -> RequestSubmitted:
    return RequestSubmitted(
        request=RequestId(name),
        person=person,
        target=SHOP,
        role=READ,
        duration=timedelta(minutes=30),
        reason=REASON,
        digest="f" * 64,
        rules=(RuleName("one"), RuleName("two")),
        groups=(ApproverGroup(name="approvers", people=(BOB, CAROL), needed=2),),
        decide_by=NOW + timedelta(hours=1),
        activate_within=timedelta(hours=8),
        configuration_version=1,
        configuration_digest="e" * 64,
        source="test",
    )


def approved(name: str, person: PersonId, *, complete: bool) -> RequestApproved:
    return RequestApproved(
        request=RequestId(name),
        person=person,
        digest="f" * 64,
        complete=complete,
        activate_by=NOW + timedelta(hours=8),
        configuration_version=1,
        source="test",
        comment=COMMENT,
    )


def created(name: str, request: str = "r-1", person: PersonId = ALICE) -> GrantCreated:
    return GrantCreated(
        grant=GrantId(name),
        request=RequestId(request),
        person=person,
        target=SHOP,
        role=READ,
        window=Window.starting(NOW, timedelta(minutes=30)),
        credential="sojourn_g1",
        configuration_version=1,
    )


def opened(name: str, grant: str = "g-1", person: PersonId = ALICE) -> SessionOpened:
    return SessionOpened(
        session=SessionId(name),
        grant=GrantId(grant),
        person=person,
        target=SHOP,
        role=READ,
        database="shop",
        token=TokenId("t-1"),
        node="gateway-1",
        source="10.0.0.9",
        application="psql",
        tls="TLSv1.3",
    )


def intended(name: str, number: int) -> ActionIntended:
    return ActionIntended(
        session=SessionId(name),
        number=number,
        protocol="simple",
        verb="select",
        may_write=False,
        objects=("shop.orders", "shop.payments"),
        detail=DETAIL,
    )


def completed(name: str, number: int) -> ActionCompleted:
    return ActionCompleted(
        session=SessionId(name),
        number=number,
        outcome=Outcome.FAILED,
        tags=(),
        sqlstate="42501",
        rows=0,
        bytes_in=10,
        bytes_out=20,
        duration_us=30,
        message=MESSAGE,
    )


def whole_story() -> list[Recorded]:
    story = Story()
    request, grant, session = (
        request_stream(RequestId("r-1")),
        grant_stream(GrantId("g-1")),
        session_stream(SessionId("s-1")),
    )
    story.add(SYSTEM, ProcessStarted(process="scribe", node="n", build="b"))
    story.add(request, submitted("r-1"), approved("r-1", BOB, complete=False), approved("r-1", CAROL, complete=True))
    said = RequestCommented(
        request=RequestId("r-1"), person=BOB, number=1, text=COMMENT, question=True, answers=None, source="t"
    )
    story.add(request, said)
    story.add(request, RequestActivated(request=RequestId("r-1"), person=ALICE, grant=GrantId("g-1"), source="t"))
    story.add(grant, created("g-1"), GrantProvisioned(grant=GrantId("g-1"), observed=("a", "b"), secret=DETAIL))
    story.add(
        session,
        opened("s-1"),
        SessionConnected(session=SessionId("s-1"), process=7),
        intended("s-1", 1),
        completed("s-1", 1),
        intended("s-1", 2),
    )
    story.add(session, ChunkRecorded(session=SessionId("s-1"), number=2, part=1, size=9, content=DETAIL))
    closed = SessionClosed(
        session=SessionId("s-1"), cause=CloseCause.GRANT_ENDED, actions=2, bytes_in=1, bytes_out=2, cut_lag_us=900
    )
    story.add(grant, GrantEnded(grant=GrantId("g-1"), cause=EndCause.REVOKED, ended_by=BOB, source="t"))
    story.add(session, closed)
    story.add(grant, GrantRemovalFailed(grant=GrantId("g-1"), attempt=1, problem="down"))
    removed = GrantRemoved(
        grant=GrantId("g-1"), role_present=False, sessions_present=0, sessions_terminated=1, read_back_at=NOW
    )
    story.add(grant, removed)
    refused = AttemptRefused(
        verb="approve", actor=ALICE, code="approval.self", subject=request, source="t", details=(("person", "alice"),)
    )
    story.add(ATTEMPTS, refused)
    issued = TokenIssued(
        token=TokenId("t-1"),
        person=ALICE,
        purpose=TokenPurpose.API,
        secret_sha256="a" * 64,
        expires_at=NOW + timedelta(hours=1),
        source="t",
    )
    story.add(token_stream(TokenId("t-1")), issued)
    story.add(target_stream(SHOP), TargetUnobserved(target=SHOP, problem="it is away"))
    return _assured(story).entries


def _assured(story: Story) -> Story:
    """What is on record besides: break-glass, its review, and a campaign."""
    grant, campaign = GrantId("g-1"), CampaignId("c-1")
    used = BreakGlassUsed(
        person=ALICE,
        request=RequestId("r-1"),
        grant=grant,
        told=(BOB,),
        taken_at=NOW,
        confirmed_at=NOW,
        uses=1,
        per=timedelta(days=1),
    )
    opened_review = ReviewOpened(
        grant=grant,
        request=RequestId("r-1"),
        person=ALICE,
        reviewers=(CAROL,),
        involved=(ALICE, BOB),
        due=NOW,
        teams=(),
        break_glass=True,
        declared=(),
        checklist=("one",),
        configuration_version=1,
    )
    noted = ReviewNoted(grant=grant, person=CAROL, number=1, text=COMMENT, question=True, answers=None, source="t")
    begun = CampaignOpened(
        campaign=campaign,
        title="spring",
        opened_by=CAROL,
        reviewers=(CAROL,),
        due=NOW,
        items=1,
        configuration_version=1,
        configuration_digest="e" * 64,
        source="t",
    )
    item = CampaignItem(number=1, person=ALICE, target=SHOP, role=READ, rules=(RuleName("one"),), reviewers=(CAROL,))
    incident = FactTold(
        fact=FactKind.INCIDENT, subject="I-1", told_by=DAVE, until=NOW, origin="pager", source="t", state="open"
    )
    story.add(fact_stream("incident/I-1"), incident)
    ticket = replace(incident, fact=FactKind.TICKET, subject="T-1", sort="change", people=(BOB,))
    story.add(fact_stream("ticket/T-1"), ticket)
    story.add(break_glass_stream(ALICE), used)
    story.add(review_stream(grant), opened_review, noted)
    return story.add(campaign_stream(campaign), begun, CampaignListed(campaign=campaign, items=(item,)))


@pytest.fixture
def projections(tmp_path: Path) -> Iterator[Projections]:
    opened_here = Projections.open(tmp_path / "projections.db")
    yield opened_here
    opened_here.close()


def test_a_whole_story_is_told_by_the_tables(projections: Projections) -> None:
    projections.apply(whole_story())
    with projections.reading() as connection:
        request = queries.request(connection, "r-1")
        assert request is not None
        assert (request.person, request.target, request.role, request.seconds) == (ALICE, SHOP, READ, 1800)
        assert (request.status, request.grant, request.due, request.rules) == ("activated", "g-1", None, "one, two")
        assert (request.submitted_at, request.decided_at) == (
            "2026-03-02T03:00:01.000000Z",
            "2026-03-02T03:00:03.000000Z",
        )
        assert [(one.person, one.decision) for one in queries.approvers(connection, "r-1")] == [
            (BOB, "approved"),
            (CAROL, "approved"),
        ]
        grant = queries.grant(connection, "g-1")
        assert grant is not None
        assert (grant.status, grant.cause, grant.ended_by, grant.problem) == ("removed", "revoked", BOB, "down")
        assert (grant.start, grant.end) == (AT, "2026-03-02T03:30:00.000000Z")
        assert grant.observed == "a\nb"
        session = queries.session(connection, "s-1")
        assert session is not None
        assert (session.cause, session.actions, session.cut_lag_us) == ("grant_ended", 2, 900)
        first, second = timeline.actions(connection, "s-1")
        assert (first.outcome, first.sqlstate, first.objects) == ("failed", "42501", "shop.orders, shop.payments")
        assert (second.outcome, second.message) == (None, None)
        (attempt,) = queries.attempts(connection, subjects=["request/r-1"])
        assert (attempt.code, attempt.details) == ("approval.self", '{"person":"alice"}')


def test_what_is_sealed_is_kept_by_commitment_only(projections: Projections) -> None:
    projections.apply(whole_story())
    with projections.reading() as connection:
        request = queries.request(connection, "r-1")
        action = timeline.actions(connection, "s-1")[0]
        comment = queries.approvers(connection, "r-1")[0].comment
    assert request is not None
    assert (request.reason, comment) == (REASON.commitment, COMMENT.commitment)
    assert (action.detail, action.message) == (DETAIL.commitment, MESSAGE.commitment)


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (
            RequestDenied(request=RequestId("r-1"), person=BOB, digest="f" * 64, configuration_version=1, source="t"),
            "denied",
        ),
        (RequestWithdrawn(request=RequestId("r-1"), person=ALICE, source="t"), "withdrawn"),
        (RequestExpired(request=RequestId("r-1"), due=NOW), "expired"),
    ],
)
def test_a_request_that_is_closed_waits_for_nobody_and_is_not_due(
    projections: Projections, ending: Event, status: str
) -> None:
    stream = request_stream(RequestId("r-1"))
    story = Story().add(stream, submitted("r-1"))
    projections.apply(story.entries)
    with projections.reading() as connection:
        assert [one.id for one in queries.requests(connection, waiting_for=[BOB])] == ["r-1"]
    projections.apply(story.add(stream, ending).entries)
    with projections.reading() as connection:
        (row,) = queries.requests(connection, statuses=(status,))
        assert row.due is None
        assert queries.requests(connection, waiting_for=[BOB]) == ()


def test_a_request_waits_for_those_who_have_not_decided(projections: Projections) -> None:
    stream = request_stream(RequestId("r-1"))
    projections.apply(Story().add(stream, submitted("r-1"), approved("r-1", BOB, complete=False)).entries)
    with projections.reading() as connection:
        assert queries.requests(connection, waiting_for=[BOB]) == ()
        assert len(queries.requests(connection, waiting_for=[CAROL])) == 1
        assert queries.requests(connection, waiting_for=[DAVE]) == ()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_size_of_the_batches_makes_no_difference(size: int) -> None:
    entries = whole_story()
    whole, parts = Projections.open(None), Projections.open(None)
    whole.apply(entries)
    for start in range(0, len(entries), size):
        parts.apply(entries[start : start + size])
    assert whole.digest() == parts.digest() != Projections.open(None).digest()
    assert whole.following == parts.following == len(entries)


def test_what_was_folded_before_is_passed_over(projections: Projections) -> None:
    entries = whole_story()
    projections.apply(entries[:9])
    projections.apply(entries)
    digest = projections.digest()
    projections.apply(entries)
    fresh = Projections.open(None)
    fresh.apply(entries)
    assert digest == projections.digest() == fresh.digest()


def test_a_missing_or_misplaced_entry_is_refused_and_nothing_is_folded(projections: Projections) -> None:
    entries = whole_story()
    projections.apply(entries[:4])
    digest = projections.digest()
    for broken in (entries[5:], [*entries[4:6], *entries[7:]], [entries[4], entries[6], entries[5]]):
        with pytest.raises(SojournError) as error:
            projections.apply(broken)
        assert error.value.code is Code.RECORD_DAMAGED
        assert (projections.following, projections.digest()) == (4, digest)


def test_a_batch_that_cannot_be_folded_leaves_tables_and_cursor_as_they_were(projections: Projections) -> None:
    entries = whole_story()
    projections.apply(entries[:3])
    digest = projections.digest()
    twice = Recorded(seq=3, at=NOW, stream=entries[1].stream, version=9, event=entries[1].event)
    with pytest.raises(Exception, match="UNIQUE"):
        projections.apply([twice])
    assert (projections.following, projections.digest()) == (3, digest)
    projections.apply(entries)
    assert projections.following == len(entries)


def test_a_reader_that_was_down_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path, entries = tmp_path / "projections.db", whole_story()
    first = Projections.open(path)
    first.apply(entries[:6])
    first.close()
    second = Projections.open(path)
    assert second.following == 6
    second.apply(entries[6:])
    fresh = Projections.open(None)
    fresh.apply(entries)
    assert second.digest() == fresh.digest()
    second.close()


def test_a_rebuild_gives_identical_tables(projections: Projections) -> None:
    entries = whole_story()
    projections.apply(entries)
    digest = projections.digest()
    projections.clear()
    assert projections.following == 0
    assert projections.digest() == Projections.open(None).digest()
    projections.apply(entries)
    assert projections.digest() == digest


@pytest.mark.parametrize("table", [table.name for table in tables.FOLDED])
def test_the_digest_notices_a_change_in_any_table(tmp_path: Path, table: str) -> None:
    path = tmp_path / "projections.db"
    projections = Projections.open(path)
    projections.apply(whole_story())
    before = projections.digest()
    projections.close()
    with sqlite3.connect(path) as connection:
        named = {
            "request": "person",
            "approver": "decision",
            "attempt": "actor",
            "action": "verb",
            "chunk": "content",
            "sealing_key": "last_at",
            "reached": "at",
            "token": "person",
            "reconciliation": "target",
            "comment": "person",
            "glass": "person",
            "told": "person",
            "review": "person",
            "reviewer": "person",
            "note": "person",
            "campaign": "title",
            "fact": "told",
            "executor": "told_by",
            "finding": "subject",
        }
        column = named.get(table, "role")
        connection.execute(f'UPDATE "{table}" SET "{column}" = \'x\'')
    connection.close()
    again = Projections.open(path)
    assert again.digest() != before
    again.close()


def test_tables_of_another_schema_are_dropped_and_built_anew(tmp_path: Path) -> None:
    path = tmp_path / "projections.db"
    old = Projections.open(path)
    old.apply(whole_story())
    old.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE cursor SET schema = schema + 1")
    connection.close()
    new = Projections.open(path)
    assert new.following == 0
    assert new.digest() == Projections.open(None).digest()
    new.close()


def test_the_file_is_private_and_may_lie_anywhere(tmp_path: Path) -> None:
    folder = tmp_path / "a ?mode=memory #%20"
    folder.mkdir()
    projections = Projections.open(folder / "projections.db")
    projections.apply(whole_story())
    projections.close()
    assert (folder / "projections.db").stat().st_mode & 0o077 == 0
    again = Projections.open(folder / "projections.db")
    assert again.following == len(whole_story())
    again.close()


async def test_a_writer_reads_its_own_write(projections: Projections) -> None:
    entries = whole_story()
    waiting = asyncio.create_task(projections.wait_for(len(entries), 5))
    await asyncio.sleep(0)
    projections.apply(entries[:3])
    await asyncio.sleep(0)
    assert not waiting.done()
    projections.apply(entries[3:])
    await waiting
    await projections.wait_for(len(entries), 0)


async def test_entries_gather_until_somebody_waits_for_them(projections: Projections) -> None:
    entries = whole_story()
    await projections.gather(0.001)
    gathering = asyncio.create_task(projections.gather(60))
    await asyncio.sleep(0.01)
    await projections.wait_for(0, 5)
    await asyncio.sleep(0)
    assert not gathering.done(), "who has nothing to wait for hurries nobody"
    waiting = asyncio.create_task(projections.wait_for(len(entries), 30))
    await asyncio.wait_for(gathering, 30)
    await asyncio.wait_for(projections.gather(60), 30)
    projections.apply(entries)
    await waiting
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(projections.gather(60), 0.05)


async def test_waiting_for_what_does_not_come_has_a_deadline(projections: Projections) -> None:
    with pytest.raises(SojournError) as error:
        await projections.wait_for(1, 0.01)
    assert error.value.code is Code.SERVICE_TIMEOUT


def test_pages_are_newest_first_and_bounded_whatever_is_asked(projections: Projections) -> None:
    story = Story()
    for number in range(queries.PAGE_MAX + 20):
        story.add(request_stream(RequestId(f"r-{number}")), submitted(f"r-{number}"))
    projections.apply(story.entries)
    with projections.reading() as connection:
        assert len(queries.requests(connection)) == queries.PAGE_MAX
        assert len(queries.requests(connection, limit=10**9)) == queries.PAGE_MAX
        assert queries.requests(connection, limit=-1) == queries.requests(connection, limit=0) == ()
        newest = [one.seq for one in queries.requests(connection, limit=3)]
        assert newest == [queries.PAGE_MAX + 19, queries.PAGE_MAX + 18, queries.PAGE_MAX + 17]


def test_questions_find_what_they_name_and_nothing_else(projections: Projections) -> None:
    story = Story()
    for name, person in (("1", ALICE), ("2", DAVE)):
        story.add(request_stream(RequestId(f"r-{name}")), submitted(f"r-{name}", person))
        story.add(grant_stream(GrantId(f"g-{name}")), created(f"g-{name}", f"r-{name}", person))
        story.add(session_stream(SessionId(f"s-{name}")), opened(f"s-{name}", f"g-{name}", person))
        story.add(session_stream(SessionId(f"s-{name}")), *(intended(f"s-{name}", number) for number in (1, 2, 3)))
        refused = AttemptRefused(verb="v", actor=person, code="c", subject=f"request/r-{name}", source="t")
        story.add(ATTEMPTS, refused)
    closed = SessionClosed(session=SessionId("s-1"), cause=CloseCause.CLIENT_CLOSED, actions=3, bytes_in=0, bytes_out=0)
    story.add(session_stream(SessionId("s-1")), closed)
    projections.apply(story.entries)
    with projections.reading() as connection:
        assert [one.id for one in queries.requests(connection, person=DAVE)] == ["r-2"]
        assert [one.id for one in queries.grants(connection, person=DAVE, target=SHOP)] == ["g-2"]
        assert queries.grants(connection, status="active") == ()
        assert queries.grants(connection, target="billing") == ()
        assert [one.id for one in queries.sessions(connection, grant="g-1")] == ["s-1"]
        assert [one.id for one in queries.sessions(connection, person=DAVE)] == ["s-2"]
        assert [one.id for one in queries.sessions(connection, open_only=True)] == ["s-2"]
        assert [one.number for one in timeline.actions(connection, "s-1", after=1, limit=1)] == [2]
        assert [one.actor for one in queries.attempts(connection, actor=DAVE)] == [DAVE]
        assert queries.attempts(connection, subjects=["request/r-9"]) == ()
        assert queries.request(connection, "r-9") is None
        assert queries.grant(connection, "' OR 1=1 --") is None


@pytest.mark.parametrize(
    "query",
    [
        select(tables.request).where(tables.request.c.person == "x"),
        select(tables.request).where(tables.request.c.status == "x"),
        select(tables.request).order_by(tables.request.c.seq.desc()).limit(9),
        select(tables.approver).where(tables.approver.c.person == "x"),
        select(tables.grant).where(tables.grant.c.person == "x"),
        select(tables.grant).where(tables.grant.c.status == "x"),
        select(tables.session).where(tables.session.c.grant == "x"),
        select(tables.session).where(tables.session.c.person == "x"),
        select(tables.session).where(tables.session.c.closed_at.is_(None)),
        select(tables.action).where(tables.action.c.session == "x", tables.action.c.number > 1),
        select(tables.attempt).where(tables.attempt.c.subject == "x"),
        select(tables.attempt).where(tables.attempt.c.actor == "x"),
    ],
    ids=str,
)
def test_no_question_walks_through_a_whole_table(projections: Projections, query: object) -> None:
    with projections.reading() as connection:
        compiled = query.compile(connection, compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    assert any("INDEX" in step or "PRIMARY KEY" in step for step in plan), plan


def test_an_extended_grant_shows_its_new_end_and_what_the_target_confirmed(projections: Projections) -> None:
    until = NOW + timedelta(hours=1)
    grant = GrantId("g-1")
    extended = GrantExtended(
        grant=grant, request=RequestId("r-2"), since=NOW + timedelta(minutes=30), until=until, configuration_version=1
    )
    story = Story().add(grant_stream(grant), created("g-1"), extended)
    projections.apply(story.entries)
    with projections.reading() as connection:
        row = queries.grant(connection, "g-1")
        assert row is not None
        assert (row.end, row.extended, row.prolonged_to) == ("2026-03-02T04:00:00.000000Z", 1, None)
    story.add(grant_stream(grant), GrantProlonged(grant=grant, until=until, observed=("x",)))
    overdue = GrantRemovalOverdue(grant=grant, since=NOW, attempts=3, problem="down")
    projections.apply(story.add(grant_stream(grant), overdue).entries)
    with projections.reading() as connection:
        row = queries.grant(connection, "g-1")
        assert row is not None
        assert (row.prolonged_to, row.overdue_since) == ("2026-03-02T04:00:00.000000Z", AT)


def test_a_list_goes_on_where_its_page_stopped_and_tells_each_row_once(projections: Projections) -> None:
    story = Story()
    for number in range(25):
        story.add(request_stream(RequestId(f"r-{number}")), submitted(f"r-{number}"))
    projections.apply(story.entries)
    seen: list[str] = []
    before: int | None = None
    with projections.reading() as connection:
        while rows := queries.requests(connection, before=before, limit=10):
            seen += [row.id for row in rows]
            before = rows[-1].seq
    assert seen == [f"r-{number}" for number in reversed(range(25))]


def test_a_list_never_sorts_and_never_reads_a_whole_table(projections: Projections) -> None:
    projections.apply(whole_story())
    plans: list[str] = []

    def explained(
        connection: Connection, cursor: object, statement: str, parameters: tuple[object, ...], *_: object
    ) -> None:
        if statement.startswith("SELECT"):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append(statement + "\n" + "\n".join(str(row[3]) for row in rows))

    with projections.reading() as connection:
        listen(connection, "before_cursor_execute", explained)
        for person in (None, ALICE):
            for status in (None, "pending"):
                queries.requests(connection, person=person, statuses=(status,) if status else (), before=9)
                for target in (None, SHOP):
                    queries.grants(connection, person=person, status=status, target=target, before=9)
        queries.requests(connection, waiting_for=[BOB], before=9)
        queries.sessions(connection, person=ALICE, open_only=True, before=9)
        queries.sessions(connection, person=ALICE, before=9)
        queries.sessions(connection, grant="g-1", before=9)
        queries.attempts(connection, actor=ALICE, before=9)
        queries.attempts(connection, subjects=("request/r-1",), before=9)
        timeline.actions(connection, "s-1", after=1)
        queries.unfinished(connection)
        assured.reviews(connection, before=9)
        assured.reviews(connection, person=ALICE, before=9)
        assured.reviews(connection, waiting_for=BOB, before=9)
        assured.campaigns(connection, before=9)
        assured.campaigns(connection, reviewer=BOB, before=9)
        assured.campaign_items(connection, "c-1", after=1)
        reconciling.looks(connection, SHOP, before=9)
        for target in (SHOP, None):
            for undisposed in (True, False):
                findings.findings(connection, target=target, undisposed=undisposed, before=9, limit=9)
        (unseen,) = findings.findings(connection, undisposed=True, before=None, limit=9)
        assert findings.unmatched(connection, FindingId(unseen.id)) is not None
    assert len(plans) > 25
    for plan in plans:
        assert "TEMP B-TREE" not in plan, plan
        assert not any(line.startswith("SCAN") and "INDEX" not in line for line in plan.splitlines()), plan


def test_what_was_done_is_told_of_many_accesses_with_as_many_questions_as_of_one(projections: Projections) -> None:
    story = Story()
    for number in ("1", "2", "3"):
        story.add(grant_stream(GrantId(f"g-{number}")), created(f"g-{number}", f"r-{number}"))
    for session, grant in (("s-1", "g-1"), ("s-2", "g-1"), ("s-3", "g-2")):
        story.add(session_stream(SessionId(session)), opened(session, grant))
    story.add(session_stream(SessionId("s-1")), intended("s-1", 1), completed("s-1", 1))
    story.add(session_stream(SessionId("s-1")), replace(intended("s-1", 2), verb="update", may_write=True))
    succeeded = replace(completed("s-2", 1), outcome=Outcome.COMPLETED, rows=7)
    story.add(session_stream(SessionId("s-2")), intended("s-2", 1), succeeded)
    asked = ReviewNoted(
        grant=GrantId("g-2"), person=BOB, number=1, text=COMMENT, question=True, answers=None, source="t"
    )
    story.add(review_stream(GrantId("g-2")), asked)
    projections.apply(story.entries)
    statements: list[str] = []

    def noticed(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    with projections.reading() as connection:
        listen(connection, "before_cursor_execute", noticed)
        found = assured.works(connection, ["g-1", "g-2", "g-3"])
        of_many = len(statements)
        each = {grant: assured.work(connection, grant) for grant in found}
        assert len(statements) == of_many + 3 * of_many
        touched = assured.touched(connection, "g-1")
    verbs = {"select": 2, "update": 1}
    assert (
        found
        == each
        == {
            "g-1": assured.Work(sessions=2, actions=3, writes=1, failed=1, unanswered=1, rows=7, verbs=verbs),
            "g-2": assured.Work(sessions=1, open_questions=1),
            "g-3": assured.Work(),
        }
    )
    assert touched == (("select", "shop.orders, shop.payments", 2), ("update", "shop.orders, shop.payments", 1))


def test_what_is_unfinished_begins_at_the_oldest_request_or_grant_that_may_still_change(
    projections: Projections,
) -> None:
    story = Story()
    for number in range(3):
        story.add(request_stream(RequestId(f"r-{number}")), submitted(f"r-{number}"))
        story.add(grant_stream(GrantId(f"g-{number}")), created(f"g-{number}"))
    projections.apply(story.entries)
    places = []
    withdrawn = [RequestWithdrawn(request=RequestId(f"r-{number}"), person=ALICE, source="here") for number in range(3)]
    gone = [
        GrantRemoved(
            grant=GrantId(f"g-{number}"),
            role_present=False,
            sessions_present=0,
            sessions_terminated=0,
            read_back_at=NOW,
        )
        for number in range(3)
    ]
    for number in range(3):
        for stream, event in (
            (request_stream(RequestId(f"r-{number}")), withdrawn[number]),
            (grant_stream(GrantId(f"g-{number}")), gone[number]),
        ):
            with projections.reading() as connection:
                places.append(queries.unfinished(connection))
            projections.apply(story.add(stream, event).entries)
    assert places == [0, 1, 2, 3, 4, 5]
    with projections.reading() as connection:
        assert queries.unfinished(connection) is None


def test_tokens_that_are_revoked_or_over_are_not_live(projections: Projections) -> None:
    story = Story()
    story.entries = whole_story()
    projections.apply(story.entries)
    with projections.reading() as connection:
        assert [one.id for one in queries.live_tokens(connection, ALICE, AT)] == ["t-1"]
        assert queries.live_tokens(connection, ALICE, "2026-03-02T04:00:00.000000Z") == ()
        assert queries.live_tokens(connection, BOB, AT) == ()
    revoked = TokenRevoked(token=TokenId("t-1"), revoked_by=ALICE)
    projections.apply(story.add(token_stream(TokenId("t-1")), revoked).entries)
    with projections.reading() as connection:
        assert queries.live_tokens(connection, ALICE, AT) == ()
