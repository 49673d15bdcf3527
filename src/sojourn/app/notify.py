"""The courier, wired: its channels from the settings, and its place in a small file."""

from __future__ import annotations

from collections.abc import Callable

from sojourn.domain.catalogue import Adopted
from sojourn.notify.channels import Channel, Mail, Webhook
from sojourn.notify.courier import Courier
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, NotifySettings
from sojourn.vault.secrets import read_secret

from .ambient import SystemClock
from .places import PlaceFile


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
        place=PlaceFile(layout.run / "notify.place"),
    )


def mailing(layout: Layout, settings: NotifySettings, in_force: Callable[[], Adopted]) -> Mail | None:
    """The way to send mail; None where no server is set. Raises SojournError when its password is missing."""
    mail = settings.mail
    if not mail.host:
        return None
    password = read_secret(layout.configuration / "secrets", mail.secret) if mail.secret else ""
    return Mail(settings=mail, password=password, link=settings.link, seconds=settings.seconds, in_force=in_force)


def _channels(layout: Layout, settings: NotifySettings, in_force: Callable[[], Adopted]) -> tuple[Channel, ...]:
    secrets = layout.configuration / "secrets"
    mail = mailing(layout, settings, in_force)
    found: list[Channel] = [] if mail is None else [mail]
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
