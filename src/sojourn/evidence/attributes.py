"""The tests that an auditor makes of one access, each with its answer and the reason in words.

The letters are those of the catalogue of tests in docs/reference/evidence-pack.md. A test that this version cannot
answer is not listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sojourn.domain.events import (
    ActionIntended,
    Event,
    GrantCreated,
    GrantEnded,
    GrantRemoved,
    RequestApproved,
    RequestSubmitted,
    SessionOpened,
)
from sojourn.domain.history import Recorded

REMOVAL_ALLOWED = timedelta(minutes=5)


class Answer(StrEnum):
    """What a test found."""

    PASS = "pass"  # noqa: S105 - an answer, not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeTest:
    """One test with its answer."""

    letter: str
    title: str
    answer: Answer
    reason: str


def answer_attributes(entries: Sequence[Recorded]) -> tuple[AttributeTest, ...]:
    """Every test that can be answered from the entries of one access."""
    return tuple(_tests(entries))


def _tests(entries: Sequence[Recorded]) -> Iterator[AttributeTest]:
    submitted = _first(entries, RequestSubmitted)
    created = _first(entries, GrantCreated)
    approvals = [one for one in entries if isinstance(one.event, RequestApproved)]
    actions = [one for one in entries if isinstance(one.event, SessionOpened | ActionIntended)]
    yield _approved_before_use(approvals, created, actions)
    yield _different_people(submitted, approvals)
    yield _within_approved(submitted, created)
    yield _inside_window(created, actions)
    yield _removed_in_time(entries)


def _first(entries: Sequence[Recorded], kind: type[Event]) -> Recorded:
    return next(one for one in entries if isinstance(one.event, kind))


def _result(letter: str, title: str, passed: bool, reason: str) -> AttributeTest:
    return AttributeTest(letter=letter, title=title, answer=Answer.PASS if passed else Answer.FAIL, reason=reason)


def _approved_before_use(
    approvals: Sequence[Recorded], created: Recorded, actions: Sequence[Recorded]
) -> AttributeTest:
    title = "Approved before first use"
    complete = [one for one in approvals if isinstance(one.event, RequestApproved) and one.event.complete]
    if not complete:
        return _result("B", title, False, "no complete approval is on record")
    used = actions[0].seq if actions else created.seq
    reason = f"complete approval at entry {complete[0].seq}, first use at entry {used}"
    return _result("B", title, complete[0].seq < min(used, created.seq), reason)


def _different_people(submitted: Recorded, approvals: Sequence[Recorded]) -> AttributeTest:
    event = submitted.event
    assert isinstance(event, RequestSubmitted)
    people = [one.event.person for one in approvals if isinstance(one.event, RequestApproved)]
    passed = event.person not in people and len(set(people)) == len(people) >= event.approvals
    reason = f"requested by {event.person}, approved by {', '.join(people) or 'nobody'}; {event.approvals} needed"
    return _result("D", "Requester and approvers are different people", passed, reason)


def _within_approved(submitted: Recorded, created: Recorded) -> AttributeTest:
    asked, given = submitted.event, created.event
    assert isinstance(asked, RequestSubmitted) and isinstance(given, GrantCreated)
    same = (asked.person, asked.target, asked.role) == (given.person, given.target, given.role)
    passed = same and given.window.length <= asked.duration
    reason = f"approved {asked.role} on {asked.target} for {asked.duration}, granted {given.role} on {given.target} for"
    return _result("E", "Granted within what was approved", passed, f"{reason} {given.window.length}")


def _inside_window(created: Recorded, actions: Sequence[Recorded]) -> AttributeTest:
    title = "No action outside the window"
    event = created.event
    assert isinstance(event, GrantCreated)
    if not actions:
        return AttributeTest(letter="F", title=title, answer=Answer.NOT_APPLICABLE, reason="it was never used")
    outside = [one.seq for one in actions if not event.window.contains(one.at)]
    if outside:
        return _result("F", title, False, f"entries {', '.join(map(str, outside))} lie outside")
    return _result("F", title, True, f"{len(actions)} entries, all from {event.window.start} to {event.window.end}")


def _removed_in_time(entries: Sequence[Recorded]) -> AttributeTest:
    title = "Removed in time, and read back as gone"
    ended = next((one for one in entries if isinstance(one.event, GrantEnded)), None)
    if ended is None:
        return AttributeTest(letter="H", title=title, answer=Answer.NOT_APPLICABLE, reason="the access is still open")
    removed = next((one for one in entries if isinstance(one.event, GrantRemoved)), None)
    if removed is None:
        return _result("H", title, False, "it has ended, and its absence has not been read back yet")
    latency = removed.at - ended.at
    milliseconds = round(latency.total_seconds() * 1000)
    return _result("H", title, latency <= REMOVAL_ALLOWED, f"read back as gone {milliseconds} ms after its end")
