"""A gateway to test against: its record, people, tokens and grants, and a tap that sees what reaches the target."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.credential import derive_verifier, encode_verifier, gateway_salt
from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    ConfigurationAdopted,
    EndCause,
    Event,
    GrantCreated,
    GrantEnded,
    GrantProvisioned,
    GrantSessionStopped,
    SessionClosed,
    SessionOpened,
    TokenIssued,
    TokenPurpose,
    TokenRevoked,
)
from sojourn.domain.history import Change, Guard, Receipt
from sojourn.domain.identifiers import (
    ATTEMPTS,
    CONFIGURATION,
    GrantId,
    PersonId,
    RequestId,
    RoleName,
    SessionId,
    TargetName,
    TokenId,
    grant_stream,
    token_stream,
)
from sojourn.domain.people import Person
from sojourn.domain.sealed import Sealed, Sealing
from sojourn.domain.target import Role, Target, TargetKind, TlsMode
from sojourn.domain.window import Window
from sojourn.errors import Code, SojournError
from sojourn.gateway.process import ServingLedger, run_gateway
from sojourn.gateway.tls import DoorTls
from sojourn.settings import GatewaySettings
from sojourn.vault.keys import KeyPair
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer

from .ledger import MemoryLedger

WAIT_SECONDS = 20.0


class RealClock:
    """The machine's clock (implements `workflow.ports.Clock`)."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class SlowLedger(MemoryLedger):
    """A ledger in memory that may take its time: an append is held for `delay` seconds before it is recorded.

    `lose_answers` records and then fails, as when the scribe dies after its write. While `hold` is there and not set,
    nothing is recorded.
    """

    delay: float = 0.0
    lose_answers: bool = False
    hold: asyncio.Event | None = None

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        """See `workflow.ports.Ledger.append`. What was sent is recorded also if nobody waits for the answer."""
        appending = self._append_later(changes, guards, sealings, attachments)
        receipt = await (asyncio.shield(asyncio.ensure_future(appending)) if self.delay else appending)
        if self.lose_answers:
            raise SojournError(Code.RECORD_UNAVAILABLE)
        return receipt

    async def _append_later(
        self,
        changes: Sequence[Change],
        guards: Sequence[Guard],
        sealings: Sequence[Sealing],
        attachments: Sequence[bytes],
    ) -> Receipt:
        await asyncio.sleep(self.delay)
        if self.hold is not None:
            await self.hold.wait()
        return await MemoryLedger.append(self, changes, guards=guards, sealings=sealings, attachments=attachments)


@dataclass(slots=True)
class Tap:
    """Relays TCP to a target and keeps what went there, so that a test can see what reached it and when."""

    port: int
    listener: asyncio.Server | None = None
    sent: bytearray = field(default_factory=bytearray)
    connections: int = 0
    speaking: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, nothing that the target says comes back: it hangs."""


@asynccontextmanager
async def tap(host: str, port: int) -> AsyncIterator[Tap]:
    """A tap on `host`:`port` while the context lasts."""
    state = Tap(port=0)
    state.speaking.set()
    tasks: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray | None) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if kept is not None:
                    kept += data
                if kept is None:
                    await state.speaking.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.connections += 1
        there_reader, there_writer = await asyncio.open_connection(host, port)
        for one in (copy(reader, there_writer, state.sent), copy(there_reader, writer, None)):
            task = asyncio.get_running_loop().create_task(one)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    state.port, state.listener = server.sockets[0].getsockname()[1], server
    try:
        yield state
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(slots=True)
class GatewayUnderTest:
    """A running gateway with one target, `shop`. Its people, tokens and grants are made by the methods here."""

    ledger: ServingLedger
    sealer: Sealer
    opener: Opener
    records: Opener
    target: Target
    port: int = 0
    stop: Callable[[], object] = lambda: None
    _made: int = 0

    async def adopt(self, people: Sequence[str], targets: Sequence[Target] = ()) -> None:
        """Put a catalogue with these people and the one target, or these, in force."""
        catalogue = Catalogue(
            people=tuple(Person(id=PersonId(name), name=name.title()) for name in people),
            teams=(),
            targets=tuple(targets) or (self.target,),
            rules=(),
        )
        content = msgspec.json.encode(catalogue, order="sorted")
        event = ConfigurationAdopted(
            catalogue_sha256=hashlib.sha256(content).hexdigest(), files=(), operator="operator:test"
        )
        await self.ledger.append([Change(stream=CONFIGURATION, event=event, seen=None)], attachments=[content])

    def _name(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}-{self._made:04d}"

    async def issue_token(self, person: str, life: timedelta = timedelta(minutes=15)) -> tuple[TokenId, str]:
        """A gateway token; gives its id and its secret."""
        secret = secrets.token_urlsafe(24)
        verifier = encode_verifier(derive_verifier(secret, gateway_salt(PersonId(person))))
        sealing = self.sealer.seal(person, verifier)
        name = TokenId(self._name("t"))
        event = TokenIssued(
            token=name,
            person=PersonId(person),
            purpose=TokenPurpose.GATEWAY,
            secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
            expires_at=RealClock().now() + life,
            source="test",
            scram=sealing.sealed,
        )
        await self.ledger.append([Change(stream=token_stream(name), event=event, seen=0)], sealings=[sealing])
        return name, secret

    async def revoke_token(self, token: TokenId, person: str) -> None:
        """The token is dead from here on."""
        event = TokenRevoked(token=token, revoked_by=PersonId(person))
        await self.ledger.append([Change(stream=token_stream(token), event=event, seen=1)])

    async def grant(
        self,
        person: str,
        *,
        credential: str,
        password: str,
        seconds: float = 600.0,
        role: str = "read",
        provisioned: bool = True,
    ) -> GrantId:
        """A grant whose role exists in the target already."""
        name = GrantId(self._name("g"))
        created = GrantCreated(
            grant=name,
            request=RequestId(self._name("r")),
            person=PersonId(person),
            target=self.target.name,
            role=RoleName(role),
            window=Window.starting(RealClock().now(), timedelta(seconds=seconds)),
            credential=credential,
            configuration_version=1,
        )
        await self.ledger.append([Change(stream=grant_stream(name), event=created, seen=0)])
        if provisioned:
            sealing = self.sealer.seal(person, password.encode())
            event = GrantProvisioned(grant=name, observed=(), secret=sealing.sealed)
            await self.ledger.append([Change(stream=grant_stream(name), event=event, seen=1)], sealings=[sealing])
        return name

    async def end_grant(self, grant: GrantId, cause: EndCause = EndCause.REVOKED) -> None:
        """The grant is over from here on."""
        event = GrantEnded(grant=grant, cause=cause, ended_by="bob")
        await self.ledger.append([Change(stream=grant_stream(grant), event=event, seen=None)])

    async def stop_session(self, session: SessionId, *, by: str = "bob") -> None:
        """One session is to end, and its grant goes on."""
        (opened,) = [one for one in await self.events(f"session/{session}") if isinstance(one, SessionOpened)]
        event = GrantSessionStopped(grant=opened.grant, session=session, stopped_by=PersonId(by), source="test")
        await self.ledger.append([Change(stream=grant_stream(opened.grant), event=event, seen=None)])

    async def events(self, prefix: str = "session/") -> list[Event]:
        """Everything on record in streams with this prefix, in order."""
        found: list[Event] = []
        start = 0
        while batch := await self.ledger.read(start, 1000, (prefix,)):
            found += [one.event for one in batch]
            start = batch[-1].seq + 1
        return found

    async def attempts(self) -> list[Event]:
        """The refused attempts on record."""
        return await self.events(ATTEMPTS)

    async def actions(self) -> list[tuple[ActionIntended, dict[str, object], ActionCompleted]]:
        """Every action with its opened detail and its outcome; waits until all have one."""
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while True:
            assert asyncio.get_running_loop().time() < deadline, "an action has no outcome"
            events = await self.events()
            done = {(e.session, e.number): e for e in events if isinstance(e, ActionCompleted)}
            intended = [e for e in events if isinstance(e, ActionIntended)]
            if all((e.session, e.number) in done for e in intended):
                return [(e, await self.detail(e.detail), done[e.session, e.number]) for e in intended]
            await asyncio.sleep(0.01)

    async def closed(self, count: int = 1) -> list[SessionClosed]:
        """The ends of sessions, once there are `count` of them."""
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while True:
            assert asyncio.get_running_loop().time() < deadline, "a session has no end"
            ends = [event for event in await self.events() if isinstance(event, SessionClosed)]
            if len(ends) >= count:
                return ends
            await asyncio.sleep(0.01)

    async def texts(self) -> list[object]:
        """The texts of all actions, in order; for an action without a text, its detail."""
        return [detail.get("text", detail) for _, detail, _ in await self.actions()]

    async def opened(self, sealed: Sealed) -> bytes:
        """The value behind a sealed field, as an auditor would open it."""
        ((matter, key),) = await self.ledger.matter([sealed.commitment])
        return self.records.open_value(matter, key)

    async def detail(self, sealed: Sealed) -> dict[str, object]:
        """The sealed detail of an action."""
        return msgspec.json.decode(await self.opened(sealed), type=dict[str, object])


def _key_pair(recipient: str) -> KeyPair:
    return KeyPair(recipient=recipient, private=X25519PrivateKey.generate())


async def _prepare(ledger: ServingLedger, host: str, port: int, database: str) -> GatewayUnderTest:
    """Keys, one target, and two people on record."""
    to_gateway, to_auditor = _key_pair("gateway"), _key_pair("evidence")
    target = Target(
        name=TargetName("shop"),
        kind=TargetKind.POSTGRES,
        host=host,
        port=port,
        database=database,
        administrator="sojourn_admin",
        administrator_secret="shop",
        roles=(Role(name=RoleName("read"), privileges=()), Role(name=RoleName("write"), privileges=())),
        tls=TlsMode.DISABLE,
    )
    prepared = GatewayUnderTest(
        ledger=ledger,
        sealer=Sealer("gateway", to_gateway.public, secrets.token_bytes),
        opener=Opener(to_gateway),
        records=Opener(to_auditor),
        target=target,
    )
    await prepared.adopt(["alice", "bob"])
    return prepared


@asynccontextmanager
async def gateway(
    *,
    ledger: ServingLedger,
    host: str,
    port: int,
    tls: DoorTls,
    database: str = "shop",
    settings: GatewaySettings | None = None,
    node: str = "gateway-test",
    prepared: GatewayUnderTest | None = None,
) -> AsyncIterator[GatewayUnderTest]:
    """A gateway in this process, on a free port, in front of the target at `host`:`port`, while the context lasts.

    With `prepared`, another run over the same record.
    """
    prepared = prepared or await _prepare(ledger, host, port, database)
    under_test = replace(prepared)
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.get_running_loop().create_task(
        run_gateway(
            settings=settings or GatewaySettings(port=0),
            ledger=ledger,
            sealer=Sealer("evidence", prepared.records.pair.public, secrets.token_bytes),
            open_value=prepared.opener.open_value,
            tls=tls,
            clock=RealClock(),
            new_id=lambda prefix: f"{prefix}-{secrets.token_hex(5)}",
            random_bytes=secrets.token_bytes,
            node=node,
            build="test",
            started=lambda _, bound: listening.set_result(bound),
        )
    )
    under_test.stop = task.cancel
    task.add_done_callback(lambda _: listening.cancel())
    async with asyncio.timeout(20):
        under_test.port = await listening
    try:
        yield under_test
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
