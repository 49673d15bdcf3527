"""Looks at every target every few seconds and compares it with the record; what differs is on record within a minute.

- Each target has its own task, so a dead one delays no other. A look that somebody asks for waits for one under way:
  each is compared with the one before.
- The target's own log is read along, from where the last look ended; see `domain.logged`.
- A look that differs from the one before is recorded, and one an hour in any case; so is a target that could not be
  looked at, once, when that begins.
- A login that was removed and is there again (a target was set back to an earlier moment, or lost its last changes in a
  fail-over) is on record and removed once more; what became of that is on record with the next look.
- What the last entry tells is the same finding when it is seen again, also by another node or after a restart: it
  keeps the time it was first seen, and what was said of it holds on.
- The record is read after the target, from read models that have caught up, so what was recorded first is known.
- A fault in one target's task is logged, and tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import Event, Finding, FindingKind, TargetReconciled, TargetUnobserved
from sojourn.domain.history import Change
from sojourn.domain.host_view import logins_on_host, sessions_on_host
from sojourn.domain.identifiers import TargetName, target_stream
from sojourn.domain.logged import LogComparison, LogReading, RecordedSession, asked_since, compare_log
from sojourn.domain.reconciliation import (
    Comparison,
    KnownLogin,
    KnownSession,
    Observation,
    RemovedLogin,
    changed,
    compare,
)
from sojourn.domain.target import Target
from sojourn.errors import SojournError
from sojourn.workflow.ports import Office

from .port import Claim, Removal

EVERY = timedelta(hours=1)
FINDINGS_MAX = 100

log = structlog.get_logger("reconciler")


class Records(Protocol):
    """What the record has of a target; see `projections.reconciling`."""

    def known(self, target: TargetName) -> tuple[tuple[KnownSession, ...], tuple[KnownLogin, ...]]:
        """The open sessions that reached the target, and the logins of grants that are not removed."""
        ...

    def recent(self, target: TargetName, since: datetime) -> tuple[RecordedSession, ...]:
        """The sessions that reached the target since then, whether or not they are over."""
        ...

    def removed(self, target: TargetName, login: str) -> RemovedLogin | None:
        """The grant that had this login on record and is removed, or None."""
        ...

    def last(self, target: TargetName) -> TargetReconciled | None:
        """The last reconciliation on record, or None."""
        ...


@dataclass(slots=True)
class Watch:
    """What is remembered of one target between two looks."""

    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    comparison: Comparison = field(default_factory=Comparison)
    recorded: TargetReconciled | None = None
    recorded_at: datetime | None = None
    looks: int = 0
    blind: bool = False
    taken_back: tuple[Finding, ...] = ()
    log: LogComparison = field(default_factory=LogComparison)
    log_place: str = ""
    log_settled: str = ""
    """How far the log was compared with nothing left to be asked again: here a restart goes on."""

    log_matched: int = 0


@dataclass(slots=True)
class Reconciler:
    """The looks. `observe` looks at a target, and reads its log from a place on.

    `revoke` removes a login that should not be there. `caught_up` waits until the read models have all that is on
    record.
    """

    office: Office
    observe: Callable[[Target, str], Awaitable[Observation]]
    revoke: Callable[[Target, Claim], Awaitable[Removal]]
    records: Records
    caught_up: Callable[[], Awaitable[None]]
    seconds: float
    _watches: dict[TargetName, Watch] = field(default_factory=dict)
    _tasks: dict[TargetName, asyncio.Task[None]] = field(default_factory=dict)

    async def run(self) -> None:
        """Look until cancelled; targets come and go with the configuration in force."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                names = {target.name for target in self._in_force().catalogue.targets}
                for name in names - self._tasks.keys():
                    self._tasks[name] = tasks.create_task(self._keep_looking(name))
                for name in self._tasks.keys() - names:
                    self._tasks.pop(name).cancel()
                await asyncio.sleep(min(1.0, self.seconds))

    def _in_force(self) -> Adopted:
        return self.office.in_force()

    async def _keep_looking(self, name: TargetName) -> None:
        while True:
            await asyncio.sleep(self.seconds)
            target = self._in_force().catalogue.target(name)
            if target is None:
                continue
            try:
                await self.look(target)
            except SojournError as error:
                log.warning("a target could not be reconciled", target=name, code=error.code, text=str(error))
            except Exception:  # the top of a task: one target's fault must not end the others
                log.exception("fault while looking at a target", target=name)

    async def look(self, target: Target) -> TargetReconciled:
        """Look once, compare, and record what is worth it.

        Raises SojournError `target.…` if the target could not be looked at (which is on record then), or the ledger's.
        """
        watch = self._watches.get(target.name) or self._begin(target.name)
        async with watch.one_at_a_time:
            return await self._look(target, watch)

    async def _look(self, target: Target, watch: Watch) -> TargetReconciled:
        try:
            observed = await self.observe(target, watch.log_place)
        except SojournError as error:
            if not watch.blind and error.code.startswith("target."):
                await self._record(target.name, TargetUnobserved(target=target.name, problem=error.refusal.sentence))
                watch.blind = True
            raise
        await self.caught_up()
        now = self.office.clock.now()
        sessions, logins = self.records.known(target.name)
        if target.ssh is not None:
            sessions, logins = sessions_on_host(target.roles, sessions), logins_on_host(target.roles, logins)
        told = self.records.last(target.name)
        watch.comparison = compare(observed, sessions, logins, before=_going_on(watch.comparison, told), now=now)
        watch.looks += 1
        self._compare_log(target.name, watch, observed.log, now)
        event = self._told(target.name, watch, observed)
        due = watch.recorded_at is None or now - watch.recorded_at >= EVERY
        if due or watch.blind or self._differs(event, watch.recorded):
            await self._record(target.name, event)
            watch.recorded, watch.recorded_at, watch.looks, watch.blind = event, now, 0, False
            watch.log_matched = 0
        watch.taken_back = await self._take_back(target, watch.comparison.findings, event, now)
        return event

    async def _take_back(
        self, target: Target, findings: Iterable[Finding], told: TargetReconciled, now: datetime
    ) -> tuple[Finding, ...]:
        """Remove again what had been removed; gives what became of each, from when on it was `told` the same."""
        since = {(one.kind, one.subject, one.detail): one.since for one in told.findings}
        lent = {role.account for role in target.roles}
        taken = []
        for one in findings:
            known = self.records.removed(target.name, one.subject) if one.subject not in lent else None
            if one.kind is not FindingKind.LOGIN_UNRECORDED or known is None:
                continue
            try:
                removal = await self.revoke(target, Claim(grant=known.grant, credential=known.login, ends=(known.end,)))
                became = "removed again" if removal.complete else f"not removed yet: {removal}"
            except SojournError as error:
                became = f"not removed yet: {error.refusal.sentence}"
            detail = f"{known.grant} had been removed, and its login was there again; {became}"
            kind = FindingKind.LOGIN_RETURNED
            begun = since.get((kind, known.login, detail), now)
            taken.append(Finding(kind=kind, subject=known.login, detail=detail, since=begun))
        return tuple(taken)

    def _begin(self, name: TargetName) -> Watch:
        recorded = self.records.last(name)
        place = recorded.log_place if recorded is not None else ""
        watch = self._watches[name] = Watch(recorded=recorded, log_place=place, log_settled=place)
        return watch

    def _compare_log(self, name: TargetName, watch: Watch, reading: LogReading, now: datetime) -> None:
        recorded = self.records.recent(name, asked_since(reading, watch.log, now))
        watch.log = compare_log(reading, recorded, before=watch.log, now=now)
        watch.log_place, watch.log_matched = reading.place or watch.log_place, watch.log_matched + watch.log.matched
        if not watch.log.asked_again:
            watch.log_settled = watch.log_place

    def _told(self, name: TargetName, watch: Watch, observed: Observation) -> TargetReconciled:
        before = watch.recorded.accounts if watch.recorded is not None else observed.accounts
        return TargetReconciled(
            target=name,
            looks=watch.looks,
            sessions=len(observed.sessions),
            sessions_matched=watch.comparison.matched,
            logins=len(observed.logins),
            findings=_fitting(name, (*watch.taken_back, *watch.log.findings, *watch.comparison.findings)),
            accounts=observed.accounts,
            accounts_changed=changed(before, observed.accounts),
            log_place=watch.log_settled,
            log_matched=watch.log_matched,
            log_problem=observed.log.problem,
        )

    def _differs(self, event: TargetReconciled, recorded: TargetReconciled | None) -> bool:
        """Whether there is news: other findings or mighty logins, a log that is read or not. Sessions are no news."""
        if recorded is None or event.accounts_changed:
            return True
        return (event.findings, event.log_problem) != (recorded.findings, recorded.log_problem)

    async def _record(self, name: TargetName, event: Event) -> None:
        await self.office.ledger.append((Change(stream=target_stream(name), event=event, seen=None),))


def _going_on(before: Comparison, told: TargetReconciled | None) -> Comparison:
    """What was suspected before a look, with what the last entry tells: it is the same finding, whoever looked then."""
    if told is None:
        return before
    since = {(one.kind, one.subject, one.detail): one.since for one in told.findings}
    return replace(before, suspected=before.suspected | since)


def _fitting(name: TargetName, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """As many as an entry takes; that there are more is a finding of its own, so that nobody takes these for all."""
    if len(findings) <= FINDINGS_MAX:
        return findings
    kept = findings[: FINDINGS_MAX - 1]
    detail = f"more differences at once than the {FINDINGS_MAX} that are told one by one"
    return (*kept, Finding(kind=FindingKind.MORE_THAN_TOLD, subject=name, detail=detail, since=findings[-1].since))
