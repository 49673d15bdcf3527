"""A real gateway before a real PostgreSQL 18, with an access that is already enforced there."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import psycopg
import pytest
import uvloop
from psycopg import sql

from sojourn.demo.production import Production, production
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
    TokenIssued,
    TokenPurpose,
)
from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import (
    CONFIGURATION,
    GrantId,
    PersonId,
    RequestId,
    RoleName,
    TargetName,
    TokenId,
    grant_stream,
    token_stream,
)
from sojourn.domain.people import Person
from sojourn.domain.sealed import Sealing
from sojourn.domain.target import Privilege, Recording, Role, Target, TargetKind, TlsMode, Verb
from sojourn.domain.window import Window
from sojourn.gateway.process import run_gateway
from sojourn.gateway.tls import load_door
from sojourn.settings import GatewaySettings
from sojourn.testing.ledger import MemoryLedger
from sojourn.vault.certificates import ensure_certificates
from sojourn.vault.keys import KeyPair, ensure_key_pair
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer

from .proxy import Proxy, proxy_to
from .raw import RawClient

PASSWORD = "grant-password-of-the-test"
PERSON = PersonId("alice")
STRANGER = PersonId("mallory")
TARGET = TargetName("shop")
ROLE = RoleName("reader")
Given = TypeVar("Given")
_numbers = itertools.count(1)


class MachineClock:
    """The machine's time."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class SlowLedger(MemoryLedger):
    """A record in memory that can be made to wait before it is durable, and to be told late to who follows it.

    `marks` tell when each append was.
    """

    delay: float = 0.0
    lag: float = 0.0
    marks: list[tuple[float, str]] = field(default_factory=list)

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        """Append after the delay."""
        if self.delay:
            await asyncio.sleep(self.delay)
        receipt = await MemoryLedger.append(self, changes, guards=guards, sealings=sealings, attachments=attachments)
        now = asyncio.get_running_loop().time()
        self.marks += [(now, change.event.kind) for change in changes]
        return receipt

    async def follow(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """Follow it, late."""
        async for batch in MemoryLedger.follow(self, start, prefixes):
            await asyncio.sleep(self.lag)
            yield batch


@dataclass(slots=True)
class Access:
    """A gateway that runs, its record, and one access to the target."""

    loop: asyncio.AbstractEventLoop
    ledger: SlowLedger
    target: Target
    evidence: KeyPair
    keys: KeyPair
    host: str = ""
    port: int = 0
    secret: str = ""
    grant: GrantId | None = None
    authority: str = ""
    dialled: list[RawClient] = field(default_factory=list)

    def call(self, work: Coroutine[object, object, Given]) -> Given:
        """Run something in the gateway's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def append(self, stream: str, event: Event, sealings: Sequence[Sealing] = ()) -> None:
        """Put an event on record."""
        change = Change(stream=stream, event=event, seen=None)  # type: ignore[arg-type]
        self.call(self.ledger.append([change], sealings=sealings))

    def adopt(
        self,
        *targets: Target,
        recording: Recording = Recording.BEFORE_FORWARD,
        replication: bool = False,
        mark_rows_over: int = 0,
    ) -> None:
        """Put a catalogue in force that knows everybody of these tests."""
        privileges = (Privilege(schema="shop", verbs=(Verb.SELECT,)),)
        role = Role(
            name=ROLE,
            privileges=privileges,
            recording=recording,
            replication=replication,
            mark_rows_over=mark_rows_over,
        )
        roles = (role,)
        catalogue = Catalogue(
            people=tuple(
                Person(id=PersonId(name), name=name, mail=f"{name}@example.org") for name in ("alice", "bob", "carol")
            ),
            teams=(),
            targets=tuple(replace(target, roles=roles) for target in targets),
            rules=(),
        )
        content = msgspec.json.encode(catalogue)
        digest = hashlib.sha256(content).hexdigest()
        event = ConfigurationAdopted(catalogue_sha256=digest, files=(), operator="test")
        change = Change(stream=CONFIGURATION, event=event, seen=None)
        self.call(self.ledger.append([change], attachments=[content]))

    def token(self, person: PersonId = PERSON, life: timedelta = timedelta(minutes=15)) -> str:
        """Issue a gateway token; gives its secret."""
        secret = secrets.token_urlsafe(24)
        sealer = Sealer("gateway", self.keys.public, secrets.token_bytes)
        sealing = sealer.seal(person, encode_verifier(derive_verifier(secret, gateway_salt(person))))
        token = TokenId(f"t-{next(_numbers)}")
        event = TokenIssued(
            token=token,
            person=person,
            purpose=TokenPurpose.GATEWAY,
            secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
            expires_at=datetime.now(UTC) + life,
            source="test",
            scram=sealing.sealed,
        )
        self.append(token_stream(token), event, [sealing])
        return secret

    def give(
        self,
        credential: str,
        *,
        person: PersonId = PERSON,
        role: RoleName = ROLE,
        target: TargetName = TARGET,
        seconds: float = 3600,
        provisioned: bool = True,
    ) -> GrantId:
        """A grant that opens at once, under a role that is there already."""
        grant = GrantId(f"g-{next(_numbers)}")
        event = GrantCreated(
            grant=grant,
            request=RequestId("r-test"),
            person=person,
            target=target,
            role=role,
            window=Window.starting(datetime.now(UTC), timedelta(seconds=seconds)),
            credential=credential,
            configuration_version=1,
        )
        self.append(grant_stream(grant), event)
        if provisioned:
            sealing = Sealer("gateway", self.keys.public, secrets.token_bytes).seal(grant, PASSWORD.encode())
            self.append(
                grant_stream(grant), GrantProvisioned(grant=grant, observed=(), secret=sealing.sealed), [sealing]
            )
        return grant

    def end(self, grant: GrantId | None = None) -> None:
        """Revoke."""
        grant = grant or self.grant
        assert grant is not None
        self.append(grant_stream(grant), GrantEnded(grant=grant, cause=EndCause.REVOKED, ended_by="bob"))

    def events(self, kind: type[Given]) -> list[Given]:
        """Everything of one kind on record."""
        return [one.event for one in tuple(self.ledger.entries) if isinstance(one.event, kind)]

    def detail(self, commitment: str) -> bytes:
        """What was sealed for the auditor."""
        return Opener(self.evidence).open_value(*self.ledger.matters[commitment])

    def dsn(self, **more: str) -> dict[str, str]:
        """How psycopg and psql connect."""
        return {
            "host": self.host,
            "port": str(self.port),
            "user": PERSON,
            "password": self.secret,
            "dbname": TARGET,
            "sslmode": "require",
            "gssencmode": "disable",
            **more,
        }

    @contextmanager
    def psycopg(self, **more: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """A connection through the gateway that commits by itself."""
        with psycopg.connect(**self.dsn(**more), autocommit=True) as connection:  # type: ignore[arg-type]
            yield connection


def make_role(server: Production, name: str, *, powers: str = "") -> None:
    """The role that a grant would have made."""
    with server.superuser() as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                sql.Identifier(name),
                sql.SQL(powers),
                sql.Literal(PASSWORD),
            )
        )
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA shop TO {}").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO {}").format(
                sql.Identifier(name)
            )
        )


@contextmanager
def running_gateway(
    target: Target, directory: Path, settings: GatewaySettings, ledger: SlowLedger | None = None
) -> Iterator[Access]:
    """A gateway in a thread with a loop of its own, as it runs in its own process otherwise."""
    names = ["localhost", "127.0.0.1"]
    ensure_certificates(directory / "tls", names=names, now=datetime.now(UTC))
    authority = Path(settings.client_authority) if settings.client_authority else None
    tls = load_door(directory / "tls" / "server.crt", directory / "tls" / "server.key", authority)
    evidence, keys = ensure_key_pair(directory, "evidence"), ensure_key_pair(directory, "gateway")
    loop = uvloop.new_event_loop()
    access = Access(
        loop=loop,
        ledger=ledger or SlowLedger(clock=MachineClock()),
        target=target,
        evidence=evidence,
        keys=keys,
        authority=str(directory / "tls" / "authority.crt"),
    )
    up = threading.Event()
    faults: list[object] = []

    def started(host: str, port: int) -> None:
        access.host, access.port = host, port
        up.set()

    async def main() -> None:
        await run_gateway(
            settings=settings,
            ledger=access.ledger,
            sealer=Sealer("evidence", evidence.public, secrets.token_bytes),
            open_value=Opener(keys).open_value,
            tls=tls,
            clock=MachineClock(),
            new_id=lambda prefix: f"{prefix}-{next(_numbers)}",
            random_bytes=secrets.token_bytes,
            node="test/gateway",
            build="test",
            started=started,
        )

    loop.set_exception_handler(lambda _, context: faults.append(context))
    task = loop.create_task(main())

    def run() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert up.wait(20), "the gateway did not start"
        yield access
    finally:
        for client in access.dialled:
            client.close()
        loop.call_soon_threadsafe(task.cancel)
        thread.join(20)
        assert not thread.is_alive(), "the gateway did not stop"
        assert not faults, faults


@pytest.fixture(scope="session")
def server() -> Iterator[Production]:
    """PostgreSQL 18 for all tests of this folder."""
    directory = Path(tempfile.mkdtemp(prefix="sojourn-test-"))
    directory.chmod(0o755)
    try:
        with production(directory / "production", password="administrator-of-the-test") as running:
            yield running
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def proxy(server: Production) -> Iterator[Proxy]:
    """A proxy before the target."""
    with proxy_to(server.host, server.port) as running:
        yield running


def target_of(server: Production) -> Target:
    """The server as a target."""
    return Target(
        name=TARGET,
        kind=TargetKind.POSTGRES,
        host=server.host,
        port=server.port,
        database="shop",
        administrator="sojourn_admin",
        administrator_secret="x",
        roles=(),
        tls=TlsMode.DISABLE,
    )


@pytest.fixture
def settings() -> GatewaySettings:
    """Settings of the gateway; a test may override them."""
    return GatewaySettings(port=0, handshake_seconds=10.0, warn_seconds=0)


@pytest.fixture
def credential(server: Production) -> str:
    """A fresh role in the target."""
    name = f"sojourn_t{next(_numbers)}"
    make_role(server, name)
    return name


@pytest.fixture
def gateway(server: Production, tmp_path: Path, settings: GatewaySettings, credential: str) -> Iterator[Access]:
    """A gateway with one active grant and one token of alice."""
    with running_gateway(target_of(server), tmp_path, settings) as access:
        access.adopt(access.target)
        access.secret = access.token()
        access.grant = access.give(credential)
        yield access


@pytest.fixture
def raw(gateway: Access) -> RawClient:
    """A logged-in client that sends raw messages."""
    client = dial(gateway)
    assert client.log_in(PERSON, gateway.secret, TARGET)[-1][0] == "Z"
    return client


def dial(access: Access, *, tls: bool = True) -> RawClient:
    """A connection that is not logged in yet; closed when the gateway is."""
    client = RawClient(access.host, access.port, tls=tls)
    access.dialled.append(client)
    return client


def settle(access: Access, actions: int, within: float = 5.0) -> list[tuple[str, ActionCompleted]]:
    """Wait until so many actions have an outcome; gives each with its sealed detail, in order of their numbers."""
    deadline = time.monotonic() + within
    while len(access.events(ActionCompleted)) < actions and time.monotonic() < deadline:
        time.sleep(0.01)
    intended = {one.number: one for one in access.events(ActionIntended)}
    completed = sorted(access.events(ActionCompleted), key=lambda one: one.number)
    numbers = [one.number for one in completed]
    assert len(set(numbers)) == len(numbers), "an action has two outcomes"
    assert sorted(intended) == numbers, (sorted(intended), numbers)
    assert len(completed) == actions, [(access.detail(one.detail.commitment)) for one in intended.values()]
    return [(access.detail(intended[one.number].detail.commitment).decode(), one) for one in completed]
