"""What a target's own log says of our logins, against the record, in both directions.

A look sees what is there at that moment; the log also has what came and went between two looks.

- A session is known by its login and the target's number for it; the same number comes again after a while, so the
  times have to be near each other too.
- Every session that the log shows has to be on record. The record may be a moment behind: it is asked again at the next
  look before it counts.
- Every session on record that reached the target has to be in the log, from where on it was read without a gap, if the
  target logs who comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .events import Finding, FindingKind

NEAR = timedelta(minutes=10)
"""How far the target's time for the begin of a session may be from ours."""

SETTLED = timedelta(minutes=1)
"""What is older has been written to the log, if it is written at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedSession:
    """A session of one of our logins, as the target's log has it. `process` is the server's number for it."""

    login: str
    process: int
    begun: datetime
    database: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What was read of a target's log since the last time.

    `place` is where to go on. `gap` says that something before this was not read. `through` is the moment up to which
    the log was read, None if it was not read: `problem` says why. `tells_all` says that the target logs whoever comes.
    """

    place: str = ""
    sessions: tuple[LoggedSession, ...] = ()
    through: datetime | None = None
    gap: bool = True
    tells_all: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSession:
    """A session on record that reached the target, whether or not it is over."""

    session: str
    login: str
    process: int
    opened: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogComparison:
    """What is known after a reading.

    `asked_again` are sessions of the log that were not on record yet, `shown` those of the record that the log has
    shown, `whole_since` the moment from which on the log was read without a gap. `told` are sessions of the record that
    were found missing already.
    """

    findings: tuple[Finding, ...] = ()
    matched: int = 0
    asked_again: frozenset[LoggedSession] = frozenset()
    shown: Mapping[str, datetime] = field(default_factory=dict)
    whole_since: datetime | None = None
    told: frozenset[str] = frozenset()


def compare_log(
    reading: LogReading, recorded: Iterable[RecordedSession], *, before: LogComparison, now: datetime
) -> LogComparison:
    """Compare a reading with what the record had right after it. `recorded` reaches back to before `asked_since`."""
    known = tuple(recorded)
    by_number: dict[tuple[str, int], list[RecordedSession]] = {}
    for one in known:
        by_number.setdefault((one.login, one.process), []).append(one)
    shown, asked_again, findings = dict(before.shown), set[LoggedSession](), list[Finding]()
    matched = 0
    for logged in dict.fromkeys((*before.asked_again, *reading.sessions)):
        near = [
            one for one in by_number.get((logged.login, logged.process), ()) if abs(one.opened - logged.begun) <= NEAR
        ]
        if near:
            closest = min(near, key=lambda one: abs(one.opened - logged.begun))
            matched += closest.session not in shown
            shown[closest.session] = closest.opened
        elif logged in before.asked_again:
            findings.append(_unrecorded(logged, now))
        else:
            asked_again.add(logged)
    whole_since = _whole_since(reading, before, now)
    missing = _missing(reading, known, shown, whole_since)
    findings += [_unlogged(one, now) for one in missing if one.session not in before.told]
    horizon = now - 2 * NEAR
    return LogComparison(
        findings=tuple(findings),
        matched=matched,
        asked_again=frozenset(asked_again),
        shown={session: opened for session, opened in shown.items() if opened >= horizon},
        whole_since=whole_since,
        told=frozenset(one.session for one in missing if one.opened >= horizon),
    )


def asked_since(reading: LogReading, before: LogComparison, now: datetime) -> datetime:
    """From when on the record has to be known for a comparison with this reading."""
    begins = [one.begun for one in (*reading.sessions, *before.asked_again)]
    return min((now - NEAR, *begins)) - NEAR


def _whole_since(reading: LogReading, before: LogComparison, now: datetime) -> datetime | None:
    if reading.through is None:
        return None
    return now if reading.gap or before.whole_since is None else before.whole_since


def _missing(
    reading: LogReading, known: Iterable[RecordedSession], shown: Mapping[str, datetime], whole_since: datetime | None
) -> list[RecordedSession]:
    """Sessions on record that the log should have shown by now. The clocks of the two may differ a little."""
    if whole_since is None or reading.through is None or not reading.tells_all:
        return []
    since, until = whole_since + SETTLED, reading.through - SETTLED
    return [one for one in known if since <= one.opened <= until and one.session not in shown]


def where(process: int, database: str, address: str) -> str:
    """Where a session at a target is, in words; what has no database is known by its port."""
    kind = f"process {process} in {database}" if database else f"port {process}"
    return f"{kind} from {address or 'an address not shown'}"


def _unrecorded(logged: LoggedSession, now: datetime) -> Finding:
    place = where(logged.process, logged.database, logged.address)
    detail = f"{place}, begun {logged.begun.isoformat(timespec='seconds')} by the target's log"
    return Finding(kind=FindingKind.LOG_UNRECORDED, subject=logged.login, detail=detail, since=now)


def _unlogged(one: RecordedSession, now: datetime) -> Finding:
    detail = f"{one.login}, process {one.process}, is not in the target's log"
    return Finding(kind=FindingKind.LOG_MISSING, subject=one.session, detail=detail, since=now)
