"""How people show who they are, wired to this installation."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sojourn.domain.identifiers import account_stream
from sojourn.errors import Refusal
from sojourn.identity.accounts import PasswordReader, invite
from sojourn.identity.ceremonies import RelyingParty
from sojourn.identity.challenges import Challenges
from sojourn.identity.confirming import Confirming
from sojourn.identity.limits import AttemptLimit
from sojourn.identity.openid import Provider
from sojourn.identity.passkeys import Passkeys
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, Settings
from sojourn.vault.opener import Opener
from sojourn.vault.secrets import read_secret
from sojourn.workflow.ports import Office

from .ambient import SystemClock, new_code, operator
from .installation import EVIDENCE, announced, key_pair


def confirming(layout: Layout, settings: Settings, ledger: ScribeClient, office: Office, opener: Opener) -> Confirming:
    """Passwords, passkeys and what is confirmed with them."""
    clock = SystemClock()
    return Confirming(
        keys=Passkeys(
            office=office,
            challenges=Challenges(clock.now, secrets.token_bytes, challenge_key(layout)),
            party=lambda: RelyingParty(public_url(layout, settings)),
        ),
        sign=ledger.sign,
        reader=PasswordReader(matter=ledger.matter, open_value=opener.open_value),
        limit=AttemptLimit(clock.now),
        mode=settings.control.step_up,
    )


def challenge_key(layout: Layout) -> bytes:
    """The key of the tickets of challenges: every node makes it from the key that it opens what is sealed with."""
    private = key_pair(layout, EVIDENCE).private.private_bytes_raw()
    return HKDF(SHA256(), 32, None, b"sojourn/challenges/v1").derive(private)


def provider(layout: Layout, settings: Settings) -> Provider | None:
    """The OpenID provider of the settings, if there is one."""
    oidc = settings.oidc
    if not oidc.issuer:
        return None

    def secret() -> str:
        return read_secret(layout.configuration / "secrets", oidc.secret) if oidc.secret else ""

    return Provider(settings=oidc, secret=secret, now=SystemClock().now)


async def invite_first(office: Office, settings: Settings, url: str) -> str | None:
    """A one-time link for the first administrator, where no administrator was ever invited; else None.

    The code stands behind the `#`, so that no log has it but the one that it is printed to.
    """
    administrators = [one.id for one in office.in_force().catalogue.people if one.administrator]
    for one in administrators:
        if await office.ledger.stream(account_stream(one)):
            return None
    if not administrators:
        return None
    code, life = new_code(), settings.control.invitation_life
    invited = await invite(office, person=administrators[0], invited_by=operator(), life=life, code=code)
    if isinstance(invited, Refusal):
        return None
    return f"{url}/enrol?{urlencode({'person': administrators[0]})}#{urlencode({'code': code})}"


def public_url(layout: Layout, settings: Settings) -> str:
    """The address that people's browsers show: that of the settings, or of a browser on this machine."""
    _, port = announced(layout.run / "control.json") or ("", settings.control.port)
    return settings.control.public_url or f"http://localhost:{port}"
