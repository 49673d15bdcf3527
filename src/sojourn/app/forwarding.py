"""The forwarders, wired: one for each SIEM of the settings, its place in a small file."""

from __future__ import annotations

import socket

from sojourn.evidence.forwarding import Forwarder, Https, Sink, Syslog
from sojourn.evidence.ocsf import Source
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, Settings, SiemDestination, SiemKind
from sojourn.vault.secrets import read_secret

from .ambient import BUILD, SystemClock
from .places import PlaceFile


def forwarders(layout: Layout, settings: Settings, ledger: ScribeClient) -> list[Forwarder]:
    """One for each destination. Raises SojournError when a secret is missing."""
    if settings.siem.destinations:
        layout.forwarded.mkdir(mode=0o700, exist_ok=True)
    return [
        Forwarder(
            ledger=ledger,
            sink=_sink(layout, settings, one),
            place=PlaceFile(layout.forwarded / f"{one.name}.place"),
            source=Source(origin=settings.scribe.origin, build=BUILD),
            clock=SystemClock(),
            overdue=one.overdue,
        )
        for one in settings.siem.destinations
    ]


def _sink(layout: Layout, settings: Settings, one: SiemDestination) -> Sink:
    authority = str(layout.configuration / one.authority) if one.authority else ""
    if one.kind is SiemKind.HTTPS:
        token = read_secret(layout.configuration / "secrets", one.secret) if one.secret else ""
        return Https(name=one.name, url=one.url, token=token, authority=authority, seconds=one.seconds)
    return Syslog(
        name=one.name,
        host=one.host,
        port=one.port,
        authority=authority,
        node=socket.gethostname(),
        origin=settings.scribe.origin,
        seconds=one.seconds,
    )
