"""How things went lately, counted from the read models: days, times to decide, cuts, and who holds what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.event import listen
from tests.projections.test_projections import DETAIL, NOW, Story, approved, created, intended, opened, submitted

from sojourn.domain.events import (
    ActionCompleted,
    CloseCause,
    GrantProvisioned,
    Outcome,
    SessionClosed,
)
from sojourn.domain.identifiers import GrantId, RequestId, SessionId, grant_stream, request_stream, session_stream
from sojourn.projections import timeline, trends
from sojourn.projections.moments import text
from sojourn.projections.projector import Projections
from sojourn.projections.timeline import Wanted
from sojourn.testing.organisation import CAROL


def _filled() -> Projections:
    projections = Projections.open(None)
    story = Story()
    for place in range(4):
        request, grant = request_stream(RequestId(f"r-{place}")), grant_stream(GrantId(f"g-{place}"))
        story.add(request, submitted(f"r-{place}"))
        story.add(request, approved(f"r-{place}", CAROL, complete=True))
        story.add(grant, created(f"g-{place}"))
        story.add(grant, GrantProvisioned(grant=GrantId(f"g-{place}"), observed=(), secret=DETAIL))
    for place, lag in enumerate((4_000, 40_000, 4_000_000)):
        session = session_stream(SessionId(f"s-{place}"))
        story.add(session, opened(f"s-{place}"))
        closed = SessionClosed(
            session=SessionId(f"s-{place}"),
            cause=CloseCause.GRANT_ENDED,
            actions=0,
            bytes_in=0,
            bytes_out=0,
            cut_lag_us=lag,
        )
        story.add(session, closed)
    projections.apply(story.entries)
    return projections


def test_accesses_are_counted_by_day_and_old_ones_left_out() -> None:
    with _filled().reading() as connection:
        (day,) = trends.grants_by_day(connection, text(NOW - timedelta(days=30)))
        assert (day.grants, day.break_glass) == (4, 0)
        assert trends.grants_by_day(connection, text(NOW + timedelta(days=400))) == ()


def test_what_took_long_is_in_a_later_bucket_and_nothing_is_lost() -> None:
    with _filled().reading() as connection:
        long_ago = text(NOW - timedelta(days=30))
        assert trends.cuts(connection, long_ago, (10_000.0, 50_000.0)) == (1, 1, 1)
        assert trends.slowest_cut(connection, long_ago) == 4_000_000
        assert sum(trends.times_to_decide(connection, long_ago, (60e6,))) == 4
        assert trends.times_to_decide(connection, text(NOW + timedelta(days=400)), (60e6,)) == (0, 0)


def test_what_is_counted_of_a_month_is_found_by_an_index_and_worked_out_when_it_is_written() -> None:
    plans: list[str] = []

    def explained(connection: Connection, cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append("\n".join(str(row[3]) for row in rows))

    with _filled().reading() as connection:
        listen(connection, "before_cursor_execute", explained)
        trends.times_to_decide(connection, text(NOW), (60e6,))
        trends.grants_by_day(connection, text(NOW))
    assert "USING INDEX request_by_submitted" in plans[0], plans
    assert "USING INDEX grant_by_day" in plans[1] and "TEMP B-TREE" not in plans[1], plans


def test_who_holds_what_now_is_what_is_active() -> None:
    with _filled().reading() as connection:
        assert [one.grant for one in trends.held(connection, 9)] == ["g-0", "g-1", "g-2", "g-3"]
        assert [one.grant for one in trends.held(connection, 2)] == ["g-0", "g-1"]
        assert trends.holding(connection) == 4


def test_actions_are_filtered_before_they_are_paged() -> None:
    projections, story = Projections.open(None), Story()
    session = session_stream(SessionId("s-1"))
    story.add(session, opened("s-1"))
    for number in range(1, 1201):
        story.add(session, intended("s-1", number))
        if number % 400 == 0:
            failed = ActionCompleted(
                session=SessionId("s-1"),
                number=number,
                outcome=Outcome.FAILED,
                tags=(),
                sqlstate="42501",
                rows=0,
                bytes_in=0,
                bytes_out=0,
                duration_us=1,
            )
            story.add(session, failed)
    projections.apply(story.entries)
    with projections.reading() as connection:
        found = timeline.actions(connection, "s-1", wanted=Wanted(outcome="failed"))
        assert [one.number for one in found] == [400, 800, 1200]
        after = timeline.actions(connection, "s-1", after=400, limit=1, wanted=Wanted(outcome="failed"))
        assert [one.number for one in after] == [800]
        assert len(timeline.actions(connection, "s-1", wanted=Wanted(outcome="running"), limit=500)) == 500
        assert timeline.actions(connection, "s-1", wanted=Wanted(search="nothing")) == ()
