"""What a target shows against what is on record, in both directions.

- A session at the target counts as recorded if the record has an open session of the same login and number: that of
  its server process, or of its port where the target knows it by that.
- A login counts as recorded if some grant that is not yet removed named it; a grant that is active has its login.
- Both sides change while they are compared, so a difference is a finding only if the look before saw it as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from .events import Finding, FindingKind
from .logged import LogReading, where


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSession:
    """A session of one of our logins, as the target shows it. `process` is the target's number for it."""

    process: int
    login: str
    database: str
    application: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one look at a target shows: our sessions, our logins, and the mighty logins of others; and its own log."""

    sessions: tuple[SeenSession, ...]
    logins: tuple[str, ...]
    accounts: tuple[str, ...]
    log: LogReading = field(default_factory=LogReading)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSession:
    """An open session that reached the target, as the record has it, under a grant of that `role`."""

    session: str
    login: str
    process: int
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLogin:
    """The login of a grant that is not removed yet. `active` says that it has been read back and has not ended."""

    grant: str
    login: str
    active: bool
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedLogin:
    """The login of a grant that was removed; `end` is when the grant was over by itself."""

    grant: str
    login: str
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a look gave. `suspected` are all differences, with the time each was first seen; `findings` held twice."""

    matched: int = 0
    findings: tuple[Finding, ...] = ()
    suspected: dict[tuple[FindingKind, str, str], datetime] = field(default_factory=dict)


def compare(
    observed: Observation,
    sessions: Iterable[KnownSession],
    logins: Collection[KnownLogin],
    *,
    before: Comparison,
    now: datetime,
) -> Comparison:
    """Compare a look with the record as it was right after it; `before` is what the look before gave."""
    known = {(one.login, one.process): one for one in sessions}
    seen = {(one.login, one.process): one for one in observed.sessions}
    differences: dict[tuple[FindingKind, str, str], datetime] = {}

    def differs(kind: FindingKind, subject: str, detail: str) -> None:
        key = (kind, subject, detail)
        differences[key] = before.suspected.get(key, now)

    for place, one in seen.items():
        if place not in known:
            differs(FindingKind.SESSION_UNRECORDED, one.login, where(one.process, one.database, one.address))
    for place, session in known.items():
        if place not in seen:
            differs(FindingKind.SESSION_MISSING, session.session, f"{session.login}, process {session.process}")
    recorded = {one.login for one in logins}
    for login in observed.logins:
        if login not in recorded:
            differs(FindingKind.LOGIN_UNRECORDED, login, "no access on record is using it")
    for one_login in logins:
        if one_login.active and one_login.login not in observed.logins:
            differs(FindingKind.LOGIN_MISSING, one_login.login, f"{one_login.grant} is active without it")
    findings = tuple(
        Finding(kind=kind, subject=subject, detail=detail, since=since)
        for (kind, subject, detail), since in sorted(differences.items())
        if (kind, subject, detail) in before.suspected
    )
    return Comparison(matched=len(seen.keys() & known.keys()), findings=findings, suspected=differences)


def changed(before: Collection[str], after: Collection[str]) -> tuple[str, ...]:
    """What came (`+ …`) and went (`- …`)."""
    gone = (f"- {line}" for line in before if line not in after)
    come = (f"+ {line}" for line in after if line not in before)
    return tuple(sorted((*gone, *come)))
