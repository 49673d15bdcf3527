"""The courier, wired: its channels from the settings, and its place in a small file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sojourn.domain.catalogue import Adopted
from sojourn.notify.channels import Channel, Mail, Webhook
from sojourn.notify.courier import Courier
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, NotifySettings
from sojourn.vault.secrets import read_secret

from .ambient import SystemClock


def courier(
    layout: Layout, settings: NotifySettings, ledger: ScribeClient, in_force: Callable[[], Adopted]
) -> Courier | None:
    """The courier; None where nothing is set that it could tell by. Raises SojournError when a secret is missing."""
    channels = _channels(layout, settings, in_force)
    if not channels:
        return None
    return Courier(
        ledger=ledger,
        follow=ledger.follow,
        size=ledger.size,
        in_force=in_force,
        channels=channels,
        place=_PlaceFile(layout.run / "notify.place"),
    )


def _channels(layout: Layout, settings: NotifySettings, in_force: Callable[[], Adopted]) -> tuple[Channel, ...]:
    secrets, mail = layout.configuration / "secrets", settings.mail
    found: list[Channel] = []
    if mail.host:
        password = read_secret(secrets, mail.secret) if mail.secret else ""
        found.append(
            Mail(settings=mail, password=password, link=settings.link, seconds=settings.seconds, in_force=in_force)
        )
    found += (
        Webhook(
            name=f"webhook {one.name}",
            url=one.url,
            secret=read_secret(secrets, one.secret),
            link=settings.link,
            seconds=settings.seconds,
            now=SystemClock().now,
        )
        for one in settings.webhooks
    )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _PlaceFile:
    """Implements `notify.courier.Place`. Without the file the courier begins at the ledger's end."""

    path: Path

    def read(self) -> int | None:
        """See `notify.courier.Place.read`."""
        try:
            return int(self.path.read_text())
        except (OSError, ValueError):
            return None

    def write(self, place: int) -> None:
        """See `notify.courier.Place.write`. Written whole or not at all."""
        partial = self.path.with_suffix(".partial")
        partial.write_text(str(place))
        partial.rename(self.path)
