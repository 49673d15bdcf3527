"""Makes every grant real, ends it on time, and takes it back until the target says that it is gone.

One reader of the ledger. It keeps a task for each grant that is not finished, and each task goes on from what is
on record: provisioned or not, ended or not, removed or not. So a restart between any two steps changes nothing.

- Ending and removing ask neither policy nor eligibility.
- A removal that fails is tried again for ever, with longer pauses. On record are the first failure, each that reads
  differently, and one an hour.
- Time is looked at every second, so a wall clock that is set forward ends what is over.
- Before anything is done at a target the grant is read again: nobody knows what became of an append without answer.
- Several control nodes may enforce one ledger. Whoever works on a grant at its target has a lease of it on record. It
  lapses long after every deadline at a target, so that of two nodes one works and the other goes on after it.
- A fault in one grant's task is logged and tried again; it never stops the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from sojourn.domain import grant as grants
from sojourn.domain import request as requests
from sojourn.domain import standing as standings
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import ConfigurationAdopted, GrantEnded
from sojourn.domain.grant import Grant, Status
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import CONFIGURATION, STANDING, GrantId, RequestId, grant_stream
from sojourn.domain.request import Request
from sojourn.domain.standing import NOTHING_SAID, Standing
from sojourn.domain.target import TargetKind
from sojourn.errors import Code, SojournError
from sojourn.workflow import expire, prolong, provision, remove
from sojourn.workflow.adopt import read_adopted
from sojourn.workflow.loading import fold
from sojourn.workflow.ports import Office, Sealer

from .places import Places
from .port import TargetDriver
from .working import LEASE_LASTS, Working

PREFIXES = ("grant/", "request/", CONFIGURATION, STANDING)
PROVISION_TRIES = 3
PAUSE_SECONDS = 0.25
PAUSE_SECONDS_MAX = 30.0
TICK_SECONDS = 1.0
REQUEST_TICK_SECONDS = 5.0
"""Of a request that is over nobody can make use meanwhile, and there may be thousands that wait."""
REPORT_AGAIN = timedelta(hours=1)
OVERDUE_AFTER = timedelta(minutes=5)
"""A removal that is not read back by then is an alarm."""

log = structlog.get_logger("enforcer")


class Follow(Protocol):
    """How the ledger is read: see `scribe.client.ScribeClient.follow`."""

    def __call__(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """All entries of such streams from a place on, for ever."""
        ...


@dataclass(slots=True)
class _Life:
    """What one grant's task remembers. The password stays the same through every try, whatever became of one."""

    password: str
    pause: float = PAUSE_SECONDS
    problem: str = ""
    reported: datetime | None = None
    terminated: int = 0
    prolong_again: float = 0.0

    def next_pause(self) -> float:
        """How long to wait before trying again: longer each time."""
        pause, self.pause = self.pause, min(PAUSE_SECONDS_MAX, self.pause * 2)
        return pause


@dataclass(slots=True)
class Enforcer:
    """The reader. `secret_sealer` seals to the gateway; `read_secret` gives an administrator's password by name.

    It begins at place `start`, before which every request and every grant is finished. `name` is that of this node: no
    other that runs has it, and one that is started again in its place has the same.
    """

    name: str
    office: Office
    follow: Follow
    attachment: Callable[[str], Awaitable[bytes]]
    secret_sealer: Sealer
    read_secret: Callable[[str], str]
    drivers: Mapping[TargetKind, TargetDriver]
    new_password: Callable[[], str]
    overdue_after: timedelta = OVERDUE_AFTER
    lease_lasts: timedelta = LEASE_LASTS
    start: int = 0
    _grants: dict[GrantId, Grant] = field(default_factory=dict)
    _requests: dict[RequestId, Request] = field(default_factory=dict)
    _changed: dict[str, asyncio.Event] = field(default_factory=dict)
    _ended: dict[GrantId, datetime] = field(default_factory=dict)
    _files: Adopted | None = None
    _standing: Standing = NOTHING_SAID
    _places: Places = field(init=False)
    _work: Working = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no target known."""
        self._places = Places(drivers=self.drivers, read_secret=self.read_secret)
        self._work = Working(
            name=self.name,
            office=self.office,
            secret_sealer=self.secret_sealer,
            places=self._places,
            others=self._others,
            lasting=self.lease_lasts,
        )

    async def run(self) -> None:
        """Follow the ledger until cancelled. What is in force is read first, wherever it stands."""
        for stream in (CONFIGURATION, STANDING):
            entries = await self.office.ledger.stream(stream)
            for recorded in [one for one in entries if isinstance(one.event, ConfigurationAdopted)][-1:] or entries:
                await self._take(recorded)
        async with asyncio.TaskGroup() as tasks:
            async for batch in self.follow(self.start, PREFIXES):
                fresh: list[Recorded] = []
                for recorded in batch:
                    if await self._take(recorded):
                        fresh.append(recorded)
                for recorded in fresh:
                    # A task begins on the state at the end of the batch, so history that is over starts nothing.
                    self._attend(recorded, tasks)

    async def _take(self, recorded: Recorded) -> bool:
        """Fold one entry; whether it begins the life of a grant or request."""
        event, (kind, _, name) = recorded.event, recorded.stream.partition("/")
        if isinstance(event, ConfigurationAdopted):
            if self._files is not None and recorded.version <= self._files.version:
                return False
            self._files = await read_adopted(self.attachment, event, recorded.version)
            self._places.adopt(self._files)
            self._reconsider()
            return False
        if recorded.stream == STANDING:
            if recorded.version <= self._standing.version:
                return False
            self._standing = standings.evolve(self._standing, event)
            self._reconsider()
            return False
        if kind == "grant":
            grant = grants.evolve(self._grants.get(GrantId(name)), event)
            if grant is None:
                return False
            self._grants[GrantId(name)] = grant
            if isinstance(event, GrantEnded):
                self._ended[GrantId(name)] = recorded.at
        else:
            request = requests.evolve(self._requests.get(RequestId(name)), event)
            if request is None:
                return False
            self._requests[RequestId(name)] = request
        self._wake(recorded.stream)
        return recorded.version == 1

    def _reconsider(self) -> None:
        """Wake whatever belongs to somebody who has left, or may not have it any more."""
        for grant in self._grants.values():
            if self._has_gone(grant):
                self._wake(f"grant/{grant.id}")
        for request in self._requests.values():
            if self._in_force().catalogue.person(request.submitted.person) is None:
                self._wake(f"request/{request.id}")

    def _wake(self, stream: str) -> None:
        changed = self._changed.get(stream)
        if changed is not None:
            changed.set()

    def _in_force(self) -> Adopted:
        """What this reader has seen to be in force; before it has seen anything, what decisions are made under."""
        return self.office.in_force() if self._files is None else self._files.under(self._standing)

    def _attend(self, recorded: Recorded, tasks: asyncio.TaskGroup) -> None:
        kind, _, name = recorded.stream.partition("/")
        self._changed[recorded.stream] = asyncio.Event()
        if kind == "grant":
            tasks.create_task(self._live(recorded.stream, GrantId(name)))
        else:
            tasks.create_task(self._lapse(recorded.stream, RequestId(name)))

    async def _wait(self, stream: str, seconds: float, tick: float = TICK_SECONDS) -> None:
        """Until the stream changes, or the time has passed; `tick` seconds at most, because wall clocks can be set."""
        changed = self._changed[stream]
        try:
            async with asyncio.timeout(max(0.0, min(seconds, tick))):
                await changed.wait()
        except TimeoutError:
            pass
        changed.clear()

    async def _live(self, stream: str, name: GrantId) -> None:
        """The whole life of one grant, from wherever the record says it is."""
        life = _Life(password=self.new_password())
        while True:
            grant = self._grants[name]
            if grant.status is Status.REMOVED:
                del self._grants[name], self._changed[stream]
                self._ended.pop(name, None)
                return
            try:
                await self._step(stream, grant, life)
            except SojournError as error:
                # The record is away, or refused: nothing is lost, the state on record says where to go on.
                log.warning("grant waits", grant=name, code=error.code, text=str(error))
                await self._wait(stream, PAUSE_SECONDS)
            except Exception:  # the top of a task: one grant's fault must not end the others
                log.exception("fault in the task of a grant", grant=name)
                await asyncio.sleep(life.next_pause())

    async def _step(self, stream: str, grant: Grant, life: _Life) -> None:
        """Do what comes next, or wait for the reader to see what is on record already."""
        if grant.status is Status.ACTIVE:
            await self._keep(stream, grant, life)
            return
        on_record = fold(grants.evolve, await self.office.ledger.stream(grant_stream(grant.id)))
        if on_record is not None and on_record.status is grant.status:
            if grant.status is Status.ENDED:
                await self._remove(grant, life)
            elif not await self._over(grant):
                await self._provision(grant, life)
        await self._wait(stream, PAUSE_SECONDS)

    async def _over(self, grant: Grant) -> bool:
        """End the grant if its holder has left or its time has come; whether either is so."""
        if self._has_gone(grant):
            # The catalogue that decides may see the departure a moment later; then this is simply asked again.
            ended = await expire.end_for_leaver(self.office, grant.id)
            if ended.status is Status.ENDED:
                return True
        if self.office.clock.now() < grant.end:
            return False
        await expire.expire_grant(self.office, grant.id)
        return True

    def _has_gone(self, grant: Grant) -> bool:
        return any(grants.gone(grant, one) is not None for one in (self._in_force(), self.office.in_force()))

    async def _keep(self, stream: str, grant: Grant, life: _Life) -> None:
        """Wait for the end of an active grant, and end it; tell the target of a later end before the present one."""
        if await self._over(grant) or self._has_gone(grant):
            await self._wait(stream, PAUSE_SECONDS)
            return
        if grant.to_prolong and asyncio.get_running_loop().time() >= life.prolong_again:
            await self._prolong(grant, life)
            await self._wait(stream, PAUSE_SECONDS)
            return
        await self._wait(stream, (grant.end - self.office.clock.now()).total_seconds())

    async def _prolong(self, grant: Grant, life: _Life) -> None:
        """Move the end at the target; if it will not take it, say so and try again after a while."""
        try:
            observed = await self._work.prolong(grant)
        except SojournError as error:
            if error.code.startswith("record."):
                raise
            life.prolong_again = asyncio.get_running_loop().time() + life.next_pause()
            log.error("the target keeps the old end", grant=grant.id, text=str(error))
            if error.refusal.sentence != life.problem:
                life.problem = error.refusal.sentence
                await prolong.report_prolonging_failed(
                    self.office, grant=grant.id, until=grant.end, problem=life.problem
                )
            return
        if observed is None:
            return
        life.pause, life.problem = PAUSE_SECONDS, ""
        await prolong.confirm_prolonged(self.office, grant=grant.id, until=grant.end, observed=observed)

    async def _provision(self, grant: Grant, life: _Life) -> None:
        """Make it real, or say that it cannot be."""
        problem = ""
        for tried in range(PROVISION_TRIES):
            if tried:
                await asyncio.sleep(PAUSE_SECONDS)
            try:
                await self._work.provision(grant, life.password)
            except SojournError as error:
                if error.code.startswith("record."):
                    raise
                problem = error.refusal.sentence
                if error.code is not Code.TARGET_UNREACHABLE:
                    break
            else:
                return
        await provision.give_up_provisioning(self.office, grant=grant.id, problem=problem, node=self.name)

    async def _remove(self, grant: Grant, life: _Life) -> None:
        """Try to take it back; confirm it only when nothing is left, otherwise say why not and wait a while."""
        try:
            removal = await self._work.remove(grant)
            if removal is None:
                return
            life.terminated += removal.sessions_terminated
            if removal.complete:
                await remove.confirm_removed(
                    self.office,
                    grant=grant.id,
                    role_present=removal.role_present,
                    sessions_present=removal.sessions_present,
                    sessions_terminated=life.terminated,
                    left=removal.left,
                )
                return
            problem = f"read back: {removal}"
        except SojournError as error:
            if error.code.startswith("record."):
                raise
            problem = error.refusal.sentence
        log.error("removal failed", grant=grant.id, text=problem)
        await self._report(grant, life, problem)
        await asyncio.sleep(life.next_pause())

    async def _report(self, grant: Grant, life: _Life, problem: str) -> None:
        """Put a failed removal on record, unless it has been there in the same words for less than an hour."""
        now = self.office.clock.now()
        recently = life.reported is not None and timedelta(0) <= now - life.reported < REPORT_AGAIN
        if problem != life.problem or not recently:
            await remove.report_removal_failed(self.office, grant=grant.id, problem=problem)
            life.problem, life.reported = problem, now
        since = self._ended.get(grant.id, now)
        if not grant.overdue and now - since >= self.overdue_after:
            log.critical("removal is overdue", grant=grant.id, since=since.isoformat(), text=problem)
            await remove.report_overdue(self.office, grant=grant.id, since=since, problem=problem)

    def _others(self, grant: Grant) -> frozenset[GrantId]:
        """The other grants of the same login that are not removed yet."""
        created = grant.created
        return frozenset(
            other.id
            for other in self._grants.values()
            if other.id != grant.id
            and other.status is not Status.REMOVED
            and (other.created.target, other.created.credential) == (created.target, created.credential)
        )

    async def _lapse(self, stream: str, name: RequestId) -> None:
        """End a request that nobody decided on or used, when it is due or its person has left."""
        pause = PAUSE_SECONDS
        while True:
            request = self._requests[name]
            if request.due is None:
                del self._requests[name], self._changed[stream]
                return
            try:
                left = (request.due - self.office.clock.now()).total_seconds()
                over = left <= 0 or self._in_force().catalogue.person(request.submitted.person) is None
                if over:
                    await expire.lapse_request(self.office, name)
                await self._wait(stream, PAUSE_SECONDS if over else left, REQUEST_TICK_SECONDS)
            except SojournError as error:
                log.warning("request waits", request=name, code=error.code)
                await self._wait(stream, PAUSE_SECONDS)
            except Exception:  # the top of a task, as in `_live`
                log.exception("fault in the task of a request", request=name)
                pause = min(PAUSE_SECONDS_MAX, pause * 2)
                await asyncio.sleep(pause)
