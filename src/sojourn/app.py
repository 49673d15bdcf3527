"""The only place that wires things together, and the only one that touches clock, randomness and environment."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ipaddress
import json
import os
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvloop

from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.events import ProcessStarted
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SYSTEM, PersonId
from sojourn.errors import Code, Refusal, SojournError
from sojourn.ledger.note import SigningKey
from sojourn.settings import Layout, Settings
from sojourn.vault.files import write_private
from sojourn.vault.keys import KeyPair, ensure_key_pair
from sojourn.workflow.ports import Office

if TYPE_CHECKING:
    from sojourn.projections.projector import Projections
    from sojourn.scribe.client import ScribeClient
    from sojourn.vault.sealer import Sealer
    from sojourn.web.services import Services

BUILD = version("sojourn")
CONNECT_SECONDS = 30.0
CLI_SECONDS = 5.0

_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that is taken for a digit."""

_ID_LENGTH = 10

EVIDENCE = "evidence"
"""The recipient of what people and auditors may read again; control holds its private key."""

GATEWAY = "gateway"
"""The recipient of what only a gateway may read; the gateway holds its private key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the command line takes from the process environment."""

    data_directory: Path
    client_directory: Path
    profile: str


def environment() -> Environment:
    """Read the environment: SOJOURN_DATA, SOJOURN_CLIENT_DIR and SOJOURN_AS, with their defaults."""
    home = Path.home()
    data = os.environ.get("SOJOURN_DATA") or str(home / ".local" / "share" / "sojourn")
    clients = os.environ.get("SOJOURN_CLIENT_DIR") or str(home / ".config" / "sojourn")
    return Environment(
        data_directory=Path(data), client_directory=Path(clients), profile=os.environ.get("SOJOURN_AS", "")
    )


def process_environment() -> dict[str, str]:
    """A copy of the whole environment, to be handed to a program that we start."""
    return dict(os.environ)


class SystemClock:
    """The machine's clock (implements `workflow.ports.Clock`)."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """A fresh id such as `r-7k3m2q9x4h`: 50 random bits, read aloud without mistakes."""
    return prefix + "-" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))


def new_password() -> str:
    """A fresh password of 256 random bits for a role in a target."""
    return secrets.token_urlsafe(32)


def operator() -> str:
    """Who runs this process on this machine, as it goes on record: `operator:<user name>`."""
    import pwd

    try:
        return f"operator:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"operator:{os.getuid()}"


def lay_out(root: Path) -> Layout:
    """The layout of a data directory, made absolute."""
    return Layout(root=root.expanduser().resolve())


def require_installation(layout: Layout) -> None:
    """Refuse a directory that holds no installation or that others can read.

    Raises SojournError `data.directory_missing` or `data.directory_open`.
    """
    if not layout.configuration.is_dir():
        raise SojournError(Code.DATA_DIRECTORY_MISSING, directory=str(layout.root))
    if layout.root.stat().st_mode & 0o077:
        raise SojournError(Code.DATA_DIRECTORY_OPEN, path=str(layout.root))


def prepare(layout: Layout, settings: Settings) -> None:
    """Make what a first start needs: run directory, signing key, key pairs, certificate. Changes nothing later."""
    from sojourn.vault.certificates import ensure_certificates

    for directory in (layout.run, layout.keys):
        directory.mkdir(mode=0o700, exist_ok=True)
    signing = layout.keys / "signing.key"
    if not signing.exists():
        key = SigningKey.generate(settings.scribe.origin, secrets.token_bytes(32))
        write_private(signing, key.format().encode() + b"\n")
        layout.verifier_key.write_text(key.vkey() + "\n")
    for recipient in (EVIDENCE, GATEWAY):
        ensure_key_pair(layout.keys, recipient)
    names = list(dict.fromkeys((settings.gateway.public_host, "localhost", "127.0.0.1")))
    ensure_certificates(layout.tls, names=names, now=SystemClock().now())


def signing_key(layout: Layout) -> SigningKey:
    """The ledger's signing key; only the scribe reads it."""
    return SigningKey.parse((layout.keys / "signing.key").read_text().strip())


def key_pair(layout: Layout, recipient: str) -> KeyPair:
    """A recipient's key pair."""
    return ensure_key_pair(layout.keys, recipient)


def read_settings(layout: Layout) -> Settings:
    """The settings of an installation."""
    from sojourn.configuration import read_settings as read

    return read(layout.configuration)


def read_catalogue(layout: Layout) -> tuple[Catalogue, Mapping[str, bytes]]:
    """The catalogue of an installation's files, and the files. Raises SojournError `configuration.…`."""
    from sojourn.configuration import read_catalogue as read

    return read(layout.configuration)


def serve(layout: Layout, only: str | None = None) -> int:
    """Run all processes under supervision, or one of them. Returns the exit code.

    Raises SojournError when the directory, its settings or its configuration will not do.
    """
    from sojourn.supervise import Process, Supervisor, sole_use

    require_installation(layout)
    settings = read_settings(layout)
    _configure_logging()
    if only is None:
        read_catalogue(layout)
        layout.run.mkdir(mode=0o700, exist_ok=True)
        with sole_use(layout):
            prepare(layout, settings)
            Supervisor(layout=layout, say=structlog.get_logger("serve").info).run()
        return 0
    prepare(layout, settings)
    match Process(only):
        case Process.SCRIBE:
            return _run_scribe(layout, settings)
        case Process.CONTROL:
            return _run_until_told(lambda: _run_control(layout, settings))
        case Process.GATEWAY:
            return _run_until_told(lambda: _run_gateway(layout, settings))


def _configure_logging() -> None:
    """Logs go to standard error, one line each; they are for operators and never evidence."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def _run_scribe(layout: Layout, settings: Settings) -> int:
    from sojourn.scribe import process

    return process.run(
        layout, settings.scribe, signing_key(layout), SystemClock().now, stop_descriptor=sys.stdin.fileno()
    )


def _run_until_told(work: Callable[[], Coroutine[object, object, None]]) -> int:
    """Run `work` until SIGTERM, SIGINT, or the end of standard input (the supervisor's death)."""

    async def supervised() -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(work())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        if not sys.stdin.isatty():
            loop.add_reader(sys.stdin.fileno(), lambda: os.read(sys.stdin.fileno(), 4096) or task.cancel())
        with contextlib.suppress(asyncio.CancelledError):
            await task

    uvloop.run(supervised())
    return 0


def _node(process: str) -> str:
    return f"{socket.gethostname()}/{process}"


def _announce(path: Path, host: str, port: int) -> None:
    """Leave the address that is listened on where the command line and a restart find it."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"host": host, "port": port, "pid": os.getpid()}))
    partial.rename(path)


def announced(path: Path) -> tuple[str, int] | None:
    """The address that a running process has left, or None."""
    try:
        held = json.loads(path.read_text())
        return str(held["host"]), int(held["port"])
    except (OSError, ValueError, KeyError):
        return None


def _same_port(path: Path, port: int) -> int:
    """With port 0 (any free one): the port of the process before, so that clients find a restarted one again."""
    known = announced(path)
    return known[1] if port == 0 and known is not None else port


async def _run_gateway(layout: Layout, settings: Settings) -> None:
    from sojourn.gateway.process import run_gateway
    from sojourn.scribe.client import ScribeClient
    from sojourn.vault.opener import Opener
    from sojourn.vault.sealer import Sealer

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(layout.tls / "server.crt", layout.tls / "server.key")
    place = layout.run / "gateway.json"
    gateway = dataclasses.replace(settings.gateway, port=_same_port(place, settings.gateway.port))
    async with ScribeClient(layout.scribe_socket) as ledger:
        await run_gateway(
            settings=gateway,
            ledger=ledger,
            sealer=Sealer(EVIDENCE, key_pair(layout, EVIDENCE).public, secrets.token_bytes),
            open_value=Opener(key_pair(layout, GATEWAY)).open_value,
            tls=tls,
            clock=SystemClock(),
            new_id=new_id,
            random_bytes=secrets.token_bytes,
            node=_node("gateway"),
            build=BUILD,
            started=lambda host, port: _announce(place, host, port),
        )


async def _run_control(layout: Layout, settings: Settings) -> None:
    from sojourn.scribe.client import ScribeClient

    require_loopback(settings)
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(CONNECT_SECONDS)
        in_force = await _adopt(layout, ledger)
        office = _office(layout, ledger, lambda: in_force)
        started = ProcessStarted(process="control", node=_node("control"), build=BUILD)
        await ledger.append([Change(stream=SYSTEM, event=started, seen=None)])
        await _serve_control(layout, settings, ledger, office)


def require_loopback(settings: Settings) -> None:
    """Refuse to offer the API, which has no TLS of its own, to other machines.

    Raises SojournError `settings.invalid`.
    """
    host = settings.control.host
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise SojournError(
            Code.SETTINGS_INVALID,
            name="control.host",
            problem=f"{host} can be reached from other machines, and the API has no TLS of its own",
            expected="a loopback address, with a TLS proxy in front of it",
        )


async def _adopt(layout: Layout, ledger: ScribeClient) -> Adopted:
    """Put the files in force; if they will not do, go on with what is in force, and say so."""
    from sojourn.workflow.adopt import adopt, load_adopted

    try:
        catalogue, files = read_catalogue(layout)
    except SojournError as error:
        adopted = await load_adopted(ledger)
        if adopted is None:
            raise
        structlog.get_logger("control").error("the files are not adopted", text=str(error), version=adopted.version)
        return adopted
    return await adopt(ledger, catalogue=catalogue, files=files, operator=operator())


def _office(layout: Layout, ledger: ScribeClient, in_force: Callable[[], Adopted]) -> Office:
    from sojourn.vault.sealer import Sealer

    sealer = Sealer(EVIDENCE, key_pair(layout, EVIDENCE).public, secrets.token_bytes)
    return Office(ledger=ledger, sealer=sealer, clock=SystemClock(), new_id=new_id, in_force=in_force)


async def _serve_control(layout: Layout, settings: Settings, ledger: ScribeClient, office: Office) -> None:
    """Run read models, enforcer and API until cancelled."""
    from sojourn.domain.target import TargetKind
    from sojourn.projections.projector import Projections
    from sojourn.targets.enforcer import Enforcer
    from sojourn.targets.postgres import PostgresDriver
    from sojourn.vault.sealer import Sealer
    from sojourn.vault.secrets import read_secret

    projections = Projections.open(layout.projections)
    gateway_sealer = Sealer(GATEWAY, key_pair(layout, GATEWAY).public, secrets.token_bytes)
    enforcer = Enforcer(
        office=office,
        follow=ledger.follow,
        attachment=ledger.attachment,
        secret_sealer=gateway_sealer,
        read_secret=lambda name: read_secret(layout.configuration / "secrets", name),
        drivers={TargetKind.POSTGRES: PostgresDriver(secrets.token_bytes)},
        new_password=new_password,
    )
    services = _services(layout, settings, ledger, office, projections, gateway_sealer)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_project(projections, ledger))
        tasks.create_task(enforcer.run())
        tasks.create_task(_serve_api(layout, settings, services))


async def _project(projections: Projections, ledger: ScribeClient) -> None:
    async for batch in ledger.follow(projections.following):
        projections.apply(batch)


def _services(
    layout: Layout,
    settings: Settings,
    ledger: ScribeClient,
    office: Office,
    projections: Projections,
    gateway_sealer: Sealer,
) -> Services:
    from sojourn.evidence.sources import pack_of
    from sojourn.identity.accounts import PasswordReader
    from sojourn.identity.limits import AttemptLimit
    from sojourn.vault.opener import Opener
    from sojourn.web.services import Services

    opener = Opener(key_pair(layout, EVIDENCE))
    return Services(
        office=office,
        projections=projections,
        settings=settings,
        passwords=PasswordReader(matter=ledger.matter, open_value=opener.open_value),
        limit=AttemptLimit(SystemClock().now),
        gateway_sealer=gateway_sealer,
        matter=ledger.matter,
        open_value=opener.open_value,
        size=ledger.size,
        sign=ledger.sign,
        pack=lambda grant: pack_of(grant, ledger=ledger, projections=projections, open_sealed=opener.open),
        gateway_address=lambda: announced(layout.run / "gateway.json") or ("", settings.gateway.port),
        random_bytes=secrets.token_bytes,
        verifier_key=layout.verifier_key.read_text().strip(),
        authority=(layout.tls / "authority.crt").read_text(),
        version=BUILD,
    )


async def _serve_api(layout: Layout, settings: Settings, services: Services) -> None:
    import uvicorn

    from sojourn.web.server import build

    place = layout.run / "control.json"
    with socket.create_server((settings.control.host, _same_port(place, settings.control.port))) as listener:
        configuration = uvicorn.Config(
            build(services), log_config=None, access_log=False, server_header=False, lifespan="off", ws="none"
        )
        server = uvicorn.Server(configuration)
        _announce(place, *listener.getsockname()[:2])
        await server.serve(sockets=[listener])


def invite_as_operator(layout: Layout, person: str) -> dict[str, str]:
    """Invite somebody from the machine itself; gives person, code and end of the invitation.

    Raises SojournError `person.unknown`, `account.exists`, or `record.unavailable` when nothing is running.
    """
    from sojourn.identity.accounts import invite
    from sojourn.scribe.client import ScribeClient
    from sojourn.workflow.adopt import load_adopted

    require_installation(layout)
    settings = read_settings(layout)
    code = new_password()

    async def work() -> dict[str, str]:
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(CLI_SECONDS)
            adopted = await load_adopted(ledger)
            if adopted is None:
                raise SojournError(Code.RECORD_UNAVAILABLE)
            account = await invite(
                _office(layout, ledger, lambda: adopted),
                person=PersonId(person),
                invited_by=operator(),
                life=settings.control.invitation_life,
                code=code,
            )
            if isinstance(account, Refusal):
                raise SojournError(account.code, **account.details)
            assert account.invitation is not None
            return {"person": person, "code": code, "expires_at": account.invitation.expires_at.isoformat()}

    return asyncio.run(work())


def rebuild(layout: Layout) -> dict[str, object]:
    """Fold the ledger into read models in memory and compare them with those in use, at the same size.

    Raises SojournError `record.unavailable` when nothing is running.
    """
    from sojourn.projections.projector import Projections
    from sojourn.scribe.client import ScribeClient

    require_installation(layout)

    async def work() -> dict[str, object]:
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(CLI_SECONDS)
            in_use, fresh = Projections.open(layout.projections), Projections.open(None)
            size = in_use.following
            start = 0
            while start < size:
                batch = [one for one in await ledger.read(start, 1000) if one.seq < size]
                fresh.apply(batch)
                start = batch[-1].seq + 1
            identical = in_use.digest() == fresh.digest()
            in_use.close()
            fresh.close()
            return {"entries": size, "identical": identical}

    return asyncio.run(work())
