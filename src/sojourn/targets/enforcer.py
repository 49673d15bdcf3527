"""Makes every grant real, ends it on time, and takes it back until the target says that it is gone.

One reader of the ledger. It keeps a task for each grant that is not finished, and each task goes on from what is
on record: provisioned or not, ended or not, removed or not. So a restart between any two steps changes nothing.

- Ending and removing ask neither policy nor eligibility.
- A removal that fails is tried again for ever, with longer pauses; the first failure is on record, and then each
  failure that reads differently.
- A grant is made and taken back at the target as it was when the grant was made, or as it is now if it still exists.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from sojourn.domain import grant as grants
from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import ConfigurationAdopted
from sojourn.domain.grant import Grant, Status
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import GrantId, RequestId
from sojourn.domain.request import Request
from sojourn.domain.target import Target, TargetKind
from sojourn.errors import Code, Refusal, SojournError
from sojourn.workflow import expire, provision, remove
from sojourn.workflow.adopt import read_adopted
from sojourn.workflow.ports import Office, Sealer

from .port import Removal, TargetDriver

PREFIXES = ("grant/", "request/", "configuration")
PROVISION_TRIES = 3
PAUSE_SECONDS = 0.25
PAUSE_SECONDS_MAX = 30.0
AT_ONCE_MAX = 16
SLEEP_SECONDS_MAX = 3600.0

log = structlog.get_logger("enforcer")


class Follow(Protocol):
    """How the ledger is read: see `scribe.client.ScribeClient.follow`."""

    def __call__(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """All entries of such streams from a place on, for ever."""
        ...


@dataclass(slots=True)
class Enforcer:
    """The reader. `secret_sealer` seals to the gateway; `read_secret` gives an administrator's password by name."""

    office: Office
    follow: Follow
    attachment: Callable[[str], Awaitable[bytes]]
    secret_sealer: Sealer
    read_secret: Callable[[str], str]
    drivers: Mapping[TargetKind, TargetDriver]
    new_password: Callable[[], str]
    _grants: dict[GrantId, Grant] = field(default_factory=dict)
    _requests: dict[RequestId, Request] = field(default_factory=dict)
    _changed: dict[str, asyncio.Event] = field(default_factory=dict)
    _targets: dict[tuple[int, str], Target] = field(default_factory=dict)
    _version: int = 0
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE_MAX))

    async def run(self) -> None:
        """Follow the ledger until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            async for batch in self.follow(0, PREFIXES):
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
            adopted = await read_adopted(self.attachment, event, recorded.version)
            self._adopt(adopted)
            return False
        if kind == "grant":
            grant = grants.evolve(self._grants.get(GrantId(name)), event)
            if grant is None:
                return False
            self._grants[GrantId(name)] = grant
        else:
            request = requests.evolve(self._requests.get(RequestId(name)), event)
            if request is None:
                return False
            self._requests[RequestId(name)] = request
        changed = self._changed.get(recorded.stream)
        if changed is not None:
            changed.set()
        return recorded.version == 1

    def _adopt(self, adopted: Adopted) -> None:
        self._version = adopted.version
        for target in adopted.catalogue.targets:
            self._targets[adopted.version, target.name] = target
        for grant in self._grants.values():
            if adopted.catalogue.person(grant.created.person) is None:
                changed = self._changed.get(f"grant/{grant.id}")
                if changed is not None:
                    changed.set()

    def _attend(self, recorded: Recorded, tasks: asyncio.TaskGroup) -> None:
        kind, _, name = recorded.stream.partition("/")
        self._changed[recorded.stream] = asyncio.Event()
        if kind == "grant":
            tasks.create_task(self._live(recorded.stream, GrantId(name)))
        else:
            tasks.create_task(self._lapse(recorded.stream, RequestId(name)))

    async def _wait(self, stream: str, seconds: float) -> None:
        """Until the stream changes, or the time has passed."""
        changed = self._changed[stream]
        try:
            async with asyncio.timeout(max(0.0, min(seconds, SLEEP_SECONDS_MAX))):
                await changed.wait()
        except TimeoutError:
            pass
        changed.clear()

    async def _live(self, stream: str, name: GrantId) -> None:
        """The whole life of one grant, from wherever the record says it is."""
        while True:
            grant = self._grants[name]
            try:
                match grant.status:
                    case Status.REMOVED:
                        del self._grants[name], self._changed[stream]
                        return
                    case Status.PROVISIONING:
                        await self._provision(grant)
                    case Status.ACTIVE:
                        await self._keep(stream, grant)
                        continue
                    case Status.ENDED:
                        await self._remove(stream, grant)
                await self._wait(stream, PAUSE_SECONDS)
            except SojournError as error:
                # The record is away, or refused: nothing is lost, the state on record says where to go on.
                log.warning("grant waits", grant=name, code=error.code, text=str(error))
                await self._wait(stream, PAUSE_SECONDS)

    async def _keep(self, stream: str, grant: Grant) -> None:
        """Wait for the end of an active grant, and end it."""
        if self.office.in_force().catalogue.person(grant.created.person) is None:
            await expire.end_for_leaver(self.office, grant.id)
        left = (grant.created.window.end - self.office.clock.now()).total_seconds()
        if left > 0:
            await self._wait(stream, left)
            return
        await expire.expire_grant(self.office, grant.id)
        await self._wait(stream, PAUSE_SECONDS)

    async def _provision(self, grant: Grant) -> None:
        """Make it real, or say that it cannot be."""
        problem = ""
        for tried in range(PROVISION_TRIES):
            if tried:
                await asyncio.sleep(PAUSE_SECONDS)
            try:
                async with self._slots:
                    await self._grant_at_target(grant)
            except SojournError as error:
                if error.code.startswith("record."):
                    raise
                problem = error.refusal.sentence
                if error.code is not Code.TARGET_UNREACHABLE:
                    break
            else:
                return
        await provision.give_up_provisioning(self.office, grant=grant.id, problem=problem)

    async def _grant_at_target(self, grant: Grant) -> None:
        target, driver, secret = self._at(grant)
        role = target.role(grant.created.role)
        if role is None:
            known = ", ".join(one.name for one in target.roles)
            raise SojournError(Code.ROLE_UNKNOWN, target=target.name, role=grant.created.role, known=known)
        password = self.new_password()
        observed = await driver.grant(
            target,
            role,
            credential=grant.created.credential,
            password=password,
            until=grant.created.window.end,
            secret=secret,
        )
        # If the grant has ended meanwhile this is refused, and the removal that follows takes the role away again.
        settled = await provision.confirm_provisioned(
            self.office, grant=grant.id, observed=observed, secret=password.encode(), sealer=self.secret_sealer
        )
        if isinstance(settled, Refusal) and settled.code is Code.GRANT_EXPIRED:
            await expire.expire_grant(self.office, grant.id)

    async def _remove(self, stream: str, grant: Grant) -> None:
        """Take it back until the target says that it is gone."""
        pause, last = PAUSE_SECONDS, ""
        while True:
            try:
                async with self._slots:
                    removal = await self._revoke_at_target(grant)
                settled = await remove.confirm_removed(
                    self.office,
                    grant=grant.id,
                    role_present=removal.role_present,
                    sessions_present=removal.sessions_present,
                    sessions_terminated=removal.sessions_terminated,
                )
                if settled.status is Status.REMOVED:
                    return
            except SojournError as error:
                if error.code.startswith("record."):
                    raise
                if error.refusal.sentence != last:
                    last = error.refusal.sentence
                    await remove.report_removal_failed(self.office, grant=grant.id, problem=last)
                log.error("removal failed", grant=grant.id, code=error.code, text=last)
            await asyncio.sleep(pause)
            pause = min(PAUSE_SECONDS_MAX, pause * 2)

    async def _revoke_at_target(self, grant: Grant) -> Removal:
        target, driver, secret = self._at(grant)
        return await driver.revoke(target, credential=grant.created.credential, secret=secret)

    def _at(self, grant: Grant) -> tuple[Target, TargetDriver, str]:
        """The target of a grant: as it is now, or as it was if the present configuration no longer has it."""
        created = grant.created
        target = self._targets.get((self._version, created.target))
        if target is None:
            target = self._targets.get((created.configuration_version, created.target))
        if target is None:
            raise SojournError(Code.TARGET_UNKNOWN, target=created.target)
        return target, self.drivers[target.kind], self.read_secret(target.administrator_secret)

    async def _lapse(self, stream: str, name: RequestId) -> None:
        """End a request that nobody decided on, or whose approval nobody used, when it is due."""
        while True:
            request = self._requests[name]
            if request.due is None:
                del self._requests[name], self._changed[stream]
                return
            left = (request.due - self.office.clock.now()).total_seconds()
            if left > 0:
                await self._wait(stream, left)
                continue
            try:
                await expire.lapse_request(self.office, name)
            except SojournError as error:
                log.warning("request waits", request=name, code=error.code)
            await self._wait(stream, PAUSE_SECONDS)
