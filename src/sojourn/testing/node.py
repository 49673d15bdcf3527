"""A node of control on simulated parts, which may die between any two steps.

A step is whatever others can see: an append to the ledger, or something done at a target. Before and after each, the
node asks whether it dies now. What is dead does nothing any more: no append, no word to a target, and whoever waits for
its answer gets none. It remembers nothing; a new life begins with what is on record.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import StreamName
from sojourn.domain.reconciliation import Observation
from sojourn.domain.sealed import Sealing
from sojourn.domain.target import Role, Target, TargetKind
from sojourn.errors import Code, SojournError
from sojourn.projections.projector import Projections
from sojourn.targets.enforcer import Enforcer
from sojourn.targets.port import Claim, Made, Removal
from sojourn.workflow.adopt import load_adopted
from sojourn.workflow.in_force import InForce
from sojourn.workflow.ports import Office
from sojourn.workflow.timekeeping import keep_time

from .ledger import MemoryLedger
from .loop import LoopClock
from .sealer import FixedSealer
from .target import SimulatedTarget


class Died(BaseException):
    """The process is gone. No handler of faults catches it, as none would be there to."""


@dataclass(slots=True)
class World:
    """What outlives every node: the ledger, the target, and what they are asked through.

    `dies(step)` says whether the node that takes this step dies with it; `lag()` gives how many seconds the next thing
    takes. `loses(step)` says whether the answer to an append gets lost, though it was recorded.
    """

    ledger: MemoryLedger
    target: SimulatedTarget
    new_id: Callable[[str], str]
    dies: Callable[[str], bool] = lambda step: False
    loses: Callable[[str], bool] = lambda step: False
    lag: Callable[[], float] = lambda: 0.001


@dataclass(slots=True)
class _Life:
    """From one start to the next death."""

    world: World
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def step(self, name: str) -> None:
        """Take a step, or die with it."""
        if not self.over.is_set() and self.world.dies(name):
            self.over.set()
        self.check()

    def check(self) -> None:
        """Go on only if still alive."""
        if self.over.is_set():
            raise Died

    async def takes_time(self) -> None:
        """What the next thing takes, if it is lived through."""
        await asyncio.sleep(self.world.lag())
        self.check()


@dataclass(slots=True)
class NodeLedger:
    """The ledger as one life of a node reaches it. Implements `workflow.ports.Ledger` and what readers need."""

    life: _Life

    @property
    def _ledger(self) -> MemoryLedger:
        return self.life.world.ledger

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        """See `workflow.ports.Ledger.append`."""
        name = "+".join(change.event.kind for change in changes[:3])
        self.life.step(f"before {name}")
        await self.life.takes_time()
        receipt = await self._ledger.append(changes, guards=guards, sealings=sealings, attachments=attachments)
        self.life.step(f"after {name}")
        if self.life.world.loses(name):
            raise SojournError(Code.RECORD_UNAVAILABLE)
        await self.life.takes_time()
        return receipt

    async def stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        """See `workflow.ports.Ledger.stream`."""
        await self.life.takes_time()
        return await self._ledger.stream(stream)

    async def attachment(self, sha256: str) -> bytes:
        """See `scribe.client.ScribeClient.attachment`."""
        self.life.check()
        return await self._ledger.attachment(sha256)

    async def follow(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """See `scribe.client.ScribeClient.follow`. News takes a while to arrive."""
        async for batch in self._ledger.follow(start, prefixes):
            await self.life.takes_time()
            yield batch


@dataclass(slots=True)
class NodeTarget:
    """The target as one life of a node reaches it. Implements `targets.port.TargetDriver`."""

    life: _Life

    async def grant(self, target: Target, role: Role, claim: Claim, *, password: str, secret: str) -> Made:
        """See `targets.port.TargetDriver.grant`."""
        await self._before("grant")
        made = await self.life.world.target.grant(target, role, claim, password=password, secret=secret)
        await self._after("grant")
        return made

    async def prolong(self, target: Target, claim: Claim, *, secret: str) -> tuple[str, ...]:
        """See `targets.port.TargetDriver.prolong`."""
        await self._before("prolong")
        observed = await self.life.world.target.prolong(target, claim, secret=secret)
        await self._after("prolong")
        return observed

    async def revoke(self, target: Target, claim: Claim, *, secret: str) -> Removal:
        """See `targets.port.TargetDriver.revoke`."""
        await self._before("revoke")
        removal = await self.life.world.target.revoke(target, claim, secret=secret)
        await self._after("revoke")
        return removal

    async def observe(self, target: Target, *, secret: str, log_place: str) -> Observation:
        """See `targets.port.TargetDriver.observe`."""
        await self.life.takes_time()
        return await self.life.world.target.observe(target, secret=secret, log_place=log_place)

    async def preflight(self, target: Target, *, secret: str) -> tuple[str, ...]:
        """See `targets.port.TargetDriver.preflight`."""
        await self.life.takes_time()
        return await self.life.world.target.preflight(target, secret=secret)

    async def _before(self, name: str) -> None:
        self.life.step(f"before {name} at the target")
        await self.life.takes_time()

    async def _after(self, name: str) -> None:
        self.life.step(f"after {name} at the target")
        await self.life.takes_time()


@dataclass(slots=True)
class Node:
    """A node that is started again whenever it has died; its clock may be off.

    `office` is where people can be served, or None while it is down. `lives` counts the starts. Any number of nodes
    serve people, keep time and enforce.
    """

    world: World
    name: str = "one"
    restart_seconds: float = 0.5
    clock: LoopClock = field(default_factory=LoopClock)
    office: Office | None = None
    lives: int = 0
    _passwords: Iterator[int] = field(default_factory=count)

    async def run(self) -> None:
        """Live, die and live again until cancelled."""
        while True:
            try:
                await self._live()
            except* Died:
                pass
            await asyncio.sleep(self.restart_seconds)

    async def _live(self) -> None:
        """One life: begins with what is on record, and ends only by death."""
        self.lives += 1
        life = _Life(self.world)
        ledger = NodeLedger(life)
        files = await load_adopted(ledger)
        assert files is not None, "a configuration was adopted before any node began"
        in_force = await InForce.open(ledger, files)
        office = Office(
            ledger=ledger,
            sealer=FixedSealer(key=f"k-{self.name}-{self.lives}"),
            clock=self.clock,
            new_id=self.world.new_id,
            in_force=in_force,
        )
        projections = Projections.open(None)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._dying(life))
                tasks.create_task(in_force.run(ledger.follow, ledger.attachment))
                tasks.create_task(self._project(projections, ledger))
                tasks.create_task(self._enforcer(office, ledger, life).run())
                tasks.create_task(keep_time(office, projections, lambda: in_force.files))
                self.office = office
        finally:
            self.office = None
            projections.close()

    def _enforcer(self, office: Office, ledger: NodeLedger, life: _Life) -> Enforcer:
        return Enforcer(
            name=self.name,
            office=office,
            follow=ledger.follow,
            attachment=ledger.attachment,
            secret_sealer=FixedSealer(key=f"g-{self.name}-{self.lives}", recipient="gateway"),
            read_secret=lambda name: name,
            drivers={TargetKind.POSTGRES: NodeTarget(life)},
            new_password=lambda: f"password {next(self._passwords)}",
        )

    async def _dying(self, life: _Life) -> None:
        await life.over.wait()
        raise Died

    async def _project(self, projections: Projections, ledger: NodeLedger) -> None:
        async for batch in ledger.follow(projections.following):
            projections.apply(batch)
