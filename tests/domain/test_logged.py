"""The target's own log against the record: what either has and the other has not is found, and nothing too early."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sojourn.domain.events import FindingKind
from sojourn.domain.logged import (
    LogComparison,
    LoggedSession,
    LogReading,
    RecordedSession,
    asked_since,
    compare_log,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
LOOK = timedelta(seconds=20)
LOGGED = LoggedSession(login="sojourn_g1", process=7, begun=NOW, database="shop", address="10.0.0.9")
RECORDED = RecordedSession(session="s-1", login="sojourn_g1", process=7, opened=NOW + timedelta(seconds=2))
NOTHING = LogReading(place="log 1", through=NOW, gap=False, tells_all=True)


def reading(*sessions: LoggedSession, at: datetime = NOW) -> LogReading:
    return replace(NOTHING, sessions=sessions, through=at)


def begun(at: datetime = NOW) -> LogComparison:
    return compare_log(replace(NOTHING, through=at, gap=True), (), before=LogComparison(), now=at)


def test_a_session_that_both_have_is_matched_once_whatever_else_it_logs() -> None:
    found = compare_log(reading(LOGGED), (RECORDED,), before=begun(), now=NOW)
    assert (found.matched, found.findings) == (1, ())
    found = compare_log(reading(LOGGED), (RECORDED,), before=found, now=NOW + LOOK)
    assert (found.matched, found.findings) == (0, ())


def test_a_session_of_the_log_is_asked_for_twice_before_it_counts_and_then_counts_once() -> None:
    found = compare_log(reading(LOGGED), (), before=begun(), now=NOW)
    assert found.findings == () and found.asked_again == {LOGGED}
    late = compare_log(reading(at=NOW + LOOK), (RECORDED,), before=found, now=NOW + LOOK)
    assert (late.matched, late.findings, late.asked_again) == (1, (), frozenset())
    found = compare_log(reading(at=NOW + LOOK), (), before=found, now=NOW + LOOK)
    (finding,) = found.findings
    assert (finding.kind, finding.subject) == (FindingKind.LOG_UNRECORDED, "sojourn_g1")
    assert "process 7 in shop from 10.0.0.9" in finding.detail
    assert compare_log(reading(), (), before=found, now=NOW + 2 * LOOK).findings == ()


def test_the_same_number_at_another_time_is_another_session() -> None:
    earlier = replace(RECORDED, opened=NOW - timedelta(minutes=11))
    found = compare_log(reading(LOGGED), (earlier,), before=begun(), now=NOW)
    assert found.asked_again == {LOGGED}


def test_of_two_sessions_with_the_same_number_the_nearer_one_is_meant() -> None:
    other = replace(RECORDED, session="s-2", opened=NOW - timedelta(minutes=5))
    found = compare_log(reading(LOGGED), (other, RECORDED), before=begun(), now=NOW)
    assert set(found.shown) == {"s-1"}


def looks(
    minutes: int, recorded: RecordedSession, log: LogReading, before: LogComparison
) -> list[tuple[FindingKind, str]]:
    """The findings of looks every 20 seconds in which the log shows nothing new."""
    found = []
    for number in range(1, minutes * 3):
        now = NOW + number * LOOK
        before = compare_log(replace(log, through=now), (recorded,), before=before, now=now)
        found += [(one.kind, one.subject) for one in before.findings]
    return found


def test_a_session_on_record_that_the_log_does_not_show_is_found_once_it_had_the_time() -> None:
    later = replace(RECORDED, opened=NOW + timedelta(seconds=90))
    assert looks(1, later, NOTHING, begun()) == []
    assert looks(12, later, NOTHING, begun()) == [(FindingKind.LOG_MISSING, "s-1")]


def test_what_the_log_need_not_show_is_not_missing_from_it() -> None:
    later = replace(RECORDED, opened=NOW + timedelta(seconds=90))
    assert looks(12, RECORDED, NOTHING, begun()) == [], "it began before the log was read"
    assert looks(12, later, replace(NOTHING, tells_all=False), begun()) == [], "the target does not log who comes"
    assert looks(12, later, replace(NOTHING, gap=True), begun()) == [], "a part of the log was not read"
    shown = compare_log(reading(replace(LOGGED, begun=later.opened)), (later,), before=begun(), now=NOW + LOOK)
    assert looks(12, later, NOTHING, shown) == []


def test_a_log_that_is_not_read_says_nothing_and_begins_anew() -> None:
    found = compare_log(LogReading(problem="not there"), (RECORDED,), before=begun(), now=NOW)
    assert (found.findings, found.whole_since) == ((), None)
    again = compare_log(reading(), (), before=found, now=NOW + LOOK)
    assert again.whole_since == NOW + LOOK


def test_the_record_is_asked_back_to_before_the_oldest_session_in_question() -> None:
    old = replace(LOGGED, begun=NOW - timedelta(hours=2))
    assert asked_since(reading(old), begun(), NOW) < old.begun
    assert asked_since(reading(), begun(), NOW) < NOW - timedelta(minutes=10)
