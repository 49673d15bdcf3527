"""How a notice gets to people: by mail (SMTP), and to systems by signed webhooks (Standard Webhooks 1.0)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol

import httpx2
import msgspec

from sojourn.domain.catalogue import Adopted
from sojourn.domain.identifiers import PersonId
from sojourn.settings import MailSettings, MailTls

from .notices import Notice

SECRET_PREFIX = "whsec_"  # noqa: S105 - how a secret begins, not one


class DeliveryError(Exception):
    """It did not get there. `final` says that trying again will not help."""

    def __init__(self, problem: str, *, final: bool = False) -> None:
        """Say why, in a sentence without its full stop."""
        super().__init__(problem)
        self.final = final


class Channel(Protocol):
    """A way to tell."""

    @property
    def name(self) -> str:
        """Its name in the record."""
        ...

    async def send(self, notice: Notice) -> None:
        """Deliver it. Raises DeliveryError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail for each notice, to everybody who has an address. `link` is what the path of a notice is put behind."""

    settings: MailSettings
    password: str
    link: str
    seconds: float
    in_force: Callable[[], Adopted]
    name: str = "mail"

    async def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        await self.tell(notice.people, self._message(notice))

    async def tell(self, people: Sequence[str], message: EmailMessage) -> list[str]:
        """Send a message to everybody who has an address, and give the addresses. Raises DeliveryError."""
        found = [self.in_force().catalogue.person(PersonId(one)) for one in people]
        addresses = [one.mail for one in found if one is not None and one.mail]
        if not addresses:
            raise DeliveryError("none of them has a mail address in people.yaml", final=True)
        message["From"], message["To"] = self.settings.sender, ", ".join(addresses)
        try:
            await asyncio.to_thread(self._deliver, message)
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(f"the mail server did not take it ({type(error).__name__}: {error})") from error
        return addresses

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = notice.subject
        domain = self.settings.sender.rpartition("@")[2].strip("> ") or "localhost"
        message["Message-ID"] = f"<sojourn-{notice.entry}-{notice.kind}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        place = f"{self.link.rstrip('/')}/{notice.path}" if self.link else notice.path
        message.set_content(f"{notice.text}\n\n{place}\nsojourn show {notice.path.rpartition('/')[2]}\n")
        return message

    def _deliver(self, message: EmailMessage) -> None:
        """In a thread: a mail server that hangs holds up nothing else."""
        one, context = self.settings, ssl.create_default_context()
        if one.tls is MailTls.ALWAYS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(one.host, one.port, timeout=self.seconds, context=context)
        else:
            server = smtplib.SMTP(one.host, one.port, timeout=self.seconds)
        with server:
            if one.tls is MailTls.STARTTLS:
                server.starttls(context=context)
            if one.user:
                server.login(one.user, self.password)
            server.send_message(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One POST for each notice, signed with HMAC-SHA256 over id, time and body (Standard Webhooks, "symmetric")."""

    name: str
    url: str
    secret: str
    link: str
    seconds: float
    now: Callable[[], datetime]

    async def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        body = msgspec.json.encode(
            {
                "type": f"sojourn.{notice.kind}",
                "timestamp": notice.at.isoformat(),
                "data": {
                    "entry": notice.entry,
                    "people": list(notice.people),
                    "subject": notice.subject,
                    "text": notice.text,
                    "link": f"{self.link.rstrip('/')}/{notice.path}" if self.link else notice.path,
                },
            }
        )
        name, at = f"msg_{notice.entry}_{notice.kind}", str(int(self.now().timestamp()))
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{signature(self.secret, name, at, body)}",
        }
        try:
            async with httpx2.AsyncClient(timeout=self.seconds, follow_redirects=False) as client:
                answered = await client.post(self.url, content=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise DeliveryError(f"it cannot be reached ({type(error).__name__})") from error
        if not answered.is_success:
            raise DeliveryError(f"it answered {answered.status_code}", final=answered.status_code == 410)


def signature(secret: str, name: str, at: str, body: bytes) -> str:
    """The signature over a message (base64). Raises DeliveryError for a secret that is none."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(SECRET_PREFIX), validate=True)
    except ValueError as error:
        raise DeliveryError("its secret is not base64", final=True) from error
    signed = b".".join((name.encode(), at.encode(), body))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
