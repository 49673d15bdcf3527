"""Control, wired: read models, enforcer and API over one client of the scribe."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog
import uvicorn

from sojourn.configuration import settings_digest
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import ProcessStarted
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SYSTEM, PersonId, RequestId, SampleId
from sojourn.domain.target import Target, TargetKind
from sojourn.errors import Code, SojournError
from sojourn.evidence.certificate import certificate_of
from sojourn.evidence.sources import pack_of
from sojourn.identity.presence import Presence
from sojourn.identity.workload import Issuers
from sojourn.notify.channels import Mail
from sojourn.projections import queries
from sojourn.projections.gathering import gathering, taking_part
from sojourn.projections.projector import Projections
from sojourn.projections.reconciling import ProjectedRecords
from sojourn.scribe.client import ScribeClient, read_entry
from sojourn.settings import Layout, Settings
from sojourn.targets.enforcer import Enforcer
from sojourn.targets.port import TargetDriver
from sojourn.targets.postgres import PostgresDriver
from sojourn.targets.reconciler import Reconciler
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer
from sojourn.vault.secrets import read_secret
from sojourn.web.live import Live
from sojourn.web.server import build
from sojourn.web.services import Bundle, Services, SshIssuer
from sojourn.workflow.adopt import adopt, adopt_settings, load_adopted
from sojourn.workflow.in_force import InForce
from sojourn.workflow.ports import Late, Office
from sojourn.workflow.readmit import watch_copies
from sojourn.workflow.sampling import load_samples, record_sample
from sojourn.workflow.strangers import Strangers
from sojourn.workflow.timekeeping import keep_time

from .ambient import BUILD, SystemClock, new_id, new_password, node, operator
from .copies import late_copies
from .forwarding import forwarders
from .identity import confirming, invite_first, provider, public_url
from .installation import EVIDENCE, GATEWAY, SSH_PLACE, announce, announced, key_pair, read_catalogue, same_port
from .keeping import forget_destroyed, uses_of
from .notify import courier, mailing
from .publisher import published_copies
from .report_desk import Drawn, ReportDesk
from .scheduling import Scheduler, delivered_files
from .seats import seat
from .vouching import bundle, vouch
from .witnesses import cosigned_note

CONNECT_SECONDS = 30.0
GATHER_SECONDS = 0.02
GATHERED = 500
"""After fewer entries than that the read models leave others so long to gather; a reader of his own write does not."""

CLOSE_SECONDS = 2
"""What answers have to come to their end at a stop; streams of events have none."""


async def run_control(layout: Layout, settings: Settings) -> None:
    """Serve as this installation's control until cancelled."""

    require_loopback(settings)
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(CONNECT_SECONDS)
        start = await ledger.size()
        in_force = await InForce.open(ledger, await _adopt(layout, ledger, settings), start)
        office = make_office(layout, ledger, in_force, late_copies(layout, settings, ledger, SystemClock()))
        started = ProcessStarted(
            process="control", node=node("control"), build=BUILD, settings_sha256=settings_digest(settings)
        )
        await ledger.append([Change(stream=SYSTEM, event=started, seen=None)])
        with seat(layout, lambda: new_id(node("control"))) as name:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(in_force.run(ledger.follow, ledger.attachment))
                tasks.create_task(_serve_control(layout, settings, ledger, office, in_force, name))


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


async def _adopt(layout: Layout, ledger: ScribeClient, settings: Settings) -> Adopted:
    """Put files and settings in force where an operator may; otherwise go on with what is in force, and say so."""
    try:
        catalogue, files = read_catalogue(layout)
        return await adopt(ledger, catalogue=catalogue, files=files, operator=operator(), settings=settings)
    except SojournError as error:
        adopted = await load_adopted(ledger)
        if adopted is None or not error.code.startswith(("configuration.", "change.")):
            raise
        structlog.get_logger("control").error("the files are not adopted", text=str(error), version=adopted.version)
    # Files with a fault keep no settings from being put on record that this machine runs under.
    return await adopt_settings(ledger, settings=settings, operator=operator())


def make_office(
    layout: Layout, ledger: ScribeClient, in_force: Callable[[], Adopted], late: Late | None = None
) -> Office:
    """What every verb works with, wired to this installation\'s ledger and keys."""

    sealer = Sealer(EVIDENCE, key_pair(layout, EVIDENCE).public, secrets.token_bytes, SystemClock().now)
    clock = SystemClock()
    counted = Strangers(clock.now).counted
    return Office(
        ledger=ledger, sealer=sealer, clock=clock, new_id=new_id, in_force=in_force, late=late, counted=counted
    )


async def _serve_control(
    layout: Layout, settings: Settings, ledger: ScribeClient, office: Office, in_force: InForce, name: str
) -> None:
    """Run read models, enforcer, clock and API until cancelled."""

    projections = Projections.open(layout.projections)
    office = dataclasses.replace(
        office, gather=gathering(projections, in_force), took_part=taking_part(projections, in_force)
    )
    gateway_sealer = Sealer(GATEWAY, key_pair(layout, GATEWAY).public, secrets.token_bytes, SystemClock().now)
    with projections.reading() as connection:
        unfinished = queries.unfinished(connection)
    enforcer = Enforcer(
        name=name,
        office=office,
        start=projections.following if unfinished is None else min(unfinished, projections.following),
        follow=ledger.follow,
        attachment=ledger.attachment,
        secret_sealer=gateway_sealer,
        read_secret=lambda name: read_secret(layout.configuration / "secrets", name),
        drivers=_drivers(layout, settings),
        new_password=new_password,
    )
    opener = Opener(key_pair(layout, EVIDENCE))
    reconciler = _reconciler(layout, settings, ledger, office, projections)
    desk, live = ReportDesk(layout=layout, new_id=office.new_id, drawn=lambda one: _drawn(office, one)), Live()
    services = _services(layout, settings, ledger, office, projections, gateway_sealer, opener, reconciler, desk, live)
    telling = courier(layout, settings.notify, ledger, in_force)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_project(projections, ledger, live))
        tasks.create_task(enforcer.run())
        tasks.create_task(reconciler.run())
        tasks.create_task(desk.run())
        tasks.create_task(keep_time(office, projections, lambda: in_force.files))
        tasks.create_task(forget_destroyed(ledger, (office.sealer, gateway_sealer, opener)))
        if telling is not None:
            tasks.create_task(telling.run())
        if settings.reports.schedules:
            mail = mailing(layout, settings.notify, in_force)
            tasks.create_task(_scheduler(layout, settings, office, desk, services, mail).run())
        for forwarder in forwarders(layout, settings, ledger):
            tasks.create_task(forwarder.run())
        if office.late is not None:
            tasks.create_task(watch_copies(office, office.late))
        tasks.create_task(_serve_api(layout, settings, services))


def _scheduler(
    layout: Layout, settings: Settings, office: Office, desk: ReportDesk, services: Services, mail: Mail | None
) -> Scheduler:
    async def items(sample: str) -> Sequence[str]:
        samples, _ = await load_samples(office.ledger)
        return samples[SampleId(sample)].drawn.requests

    return Scheduler(
        layout=layout,
        office=office,
        desk=desk,
        sign=services.sign,
        packs=lambda sample, requests: services.packs(sample, requests, False),
        items=items,
        schedules=settings.reports.schedules,
        mail=mail,
    )


async def _drawn(office: Office, one: Drawn) -> str:
    """Put a sample on record, and give its id."""
    return await record_sample(
        office,
        person=PersonId(one.person),
        period=one.period,
        as_of=one.as_of,
        seed=one.seed,
        population=one.population,
        requests=tuple(map(RequestId, one.requests)),
        manifest_sha256=one.manifest_sha256,
    )


def _drivers(layout: Layout, settings: Settings) -> dict[TargetKind, TargetDriver]:
    drivers: dict[TargetKind, TargetDriver] = {TargetKind.POSTGRES: PostgresDriver(secrets.token_bytes)}
    if settings.gateway.ssh:
        from sojourn.targets.ssh import SshDriver
        from sojourn.vault.ssh_authority import GRANTS, authority

        drivers[TargetKind.SSH] = SshDriver(authority(layout.keys, GRANTS), SystemClock())
    return drivers


def _secret_of(layout: Layout, target: Target) -> str:
    if not target.administrator_secret:
        return ""
    return read_secret(layout.configuration / "secrets", target.administrator_secret)


def _reconciler(
    layout: Layout, settings: Settings, ledger: ScribeClient, office: Office, projections: Projections
) -> Reconciler:
    """What looks at the targets and compares them with the record."""
    drivers = _drivers(layout, settings)

    async def caught_up() -> None:
        await projections.wait_for(await ledger.size(), CONNECT_SECONDS)

    return Reconciler(
        office=office,
        observe=lambda target, place: drivers[target.kind].observe(
            target, secret=_secret_of(layout, target), log_place=place
        ),
        revoke=lambda target, claim: drivers[target.kind].revoke(target, claim, secret=_secret_of(layout, target)),
        records=ProjectedRecords(projections),
        caught_up=caught_up,
        seconds=settings.control.reconcile_seconds,
    )


async def _project(projections: Projections, ledger: ScribeClient, live: Live) -> None:
    async for batch in ledger.follow(projections.following):
        projections.apply(batch)
        live.take(batch)
        if len(batch) < GATHERED:
            await projections.gather(GATHER_SECONDS)


def _services(
    layout: Layout,
    settings: Settings,
    ledger: ScribeClient,
    office: Office,
    projections: Projections,
    gateway_sealer: Sealer,
    opener: Opener,
    reconciler: Reconciler,
    desk: ReportDesk,
    live: Live,
) -> Services:

    drivers = _drivers(layout, settings)
    shown = confirming(layout, settings, ledger, office, opener)

    def cosigned() -> str:
        return cosigned_note(layout)

    pack = _packer(ledger, projections, opener, cosigned)
    return Services(
        office=office,
        projections=projections,
        settings=settings,
        passwords=shown.reader,
        limit=shown.limit,
        passkeys=shown.keys,
        confirming=shown,
        provider=provider(layout, settings),
        issuers=Issuers(now=SystemClock().now),
        presence=Presence(SystemClock().now, settings.control.session_idle),
        gateway_sealer=gateway_sealer,
        matter=ledger.matter,
        attachment=ledger.attachment,
        open_value=opener.open_value,
        size=ledger.size,
        sign=ledger.sign,
        cosigned=cosigned,
        entries=ledger.raw,
        prove=ledger.prove,
        consistency=ledger.consistency,
        live=live,
        certificate=lambda name: certificate_of(name, ledger=ledger, read_entry=read_entry, cosigned=cosigned),
        reports=desk,
        key_uses=lambda person: uses_of(ledger, projections, person),
        copies=lambda: published_copies(layout),
        preflight=lambda target: drivers[target.kind].preflight(target, secret=_secret_of(layout, target)),
        reconcile=reconciler.look,
        pack=pack,
        packs=_bundler(desk.directory, pack),
        given=lambda sha256, person: vouch(ledger, sha256, person),
        delivered=lambda: delivered_files(layout),
        gateway_address=lambda: announced(layout.run / "gateway.json") or ("", settings.gateway.port),
        random_bytes=secrets.token_bytes,
        verifier_key=layout.verifier_key.read_text().strip(),
        authority=(layout.tls / "authority.crt").read_text(),
        version=BUILD,
        ssh=_ssh_issuer(layout, settings),
    )


def _packer(
    ledger: ScribeClient, projections: Projections, opener: Opener, cosigned: Callable[[], str]
) -> Callable[[str, bool], Awaitable[bytes]]:
    """What builds the evidence pack of a grant or a request, for somebody who is confined to some targets or not."""

    async def pack(name: str, confined: bool) -> bytes:
        return await pack_of(
            name,
            ledger=ledger,
            projections=projections,
            open_sealed=opener.open,
            cosigned=cosigned,
            build=BUILD,
            confined=confined,
        )

    return pack


def _bundler(
    directory: Path, pack: Callable[[str, bool], Awaitable[bytes]]
) -> Callable[[str, Sequence[str], bool], Awaitable[Bundle]]:
    """What builds the packs of several access events; those for the confined never lie where others' do."""

    async def packs(name: str, requests: Sequence[str], confined: bool) -> Bundle:
        place = directory / ("confined" if confined else "samples")
        return await bundle(place, name, requests, lambda request: pack(request, confined))

    return packs


def _ssh_issuer(layout: Layout, settings: Settings) -> SshIssuer | None:
    if not settings.gateway.ssh:
        return None
    from sojourn.vault.ssh_authority import GATEWAYS, GRANTS, PEOPLE, authority, public_authority

    return SshIssuer(
        people=authority(layout.keys, PEOPLE),
        gateways=public_authority(layout.keys, GATEWAYS),
        grants=public_authority(layout.keys, GRANTS),
        address=lambda: announced(layout.run / SSH_PLACE) or ("", settings.gateway.ssh_port),
    )


async def _serve_api(layout: Layout, settings: Settings, services: Services) -> None:

    place = layout.run / "control.json"
    with socket.create_server((settings.control.host, same_port(place, settings.control.port))) as listener:
        configuration = uvicorn.Config(
            build(services),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            # Otherwise anybody on this machine could say in a header where they come from, and that goes on record.
            proxy_headers=settings.control.behind_proxy,
            http="h11",
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
        server = uvicorn.Server(configuration)
        announce(place, *listener.getsockname()[:2])
        link = await invite_first(services.office, settings, public_url(layout, settings))
        if link is not None:
            structlog.get_logger("control").info("nobody has an account yet; set up the first one", link=link)
        await server.serve(sockets=[listener])
