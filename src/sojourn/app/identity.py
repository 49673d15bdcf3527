"""How people show who they are, wired to this installation."""

from __future__ import annotations

import secrets

from sojourn.identity.accounts import PasswordReader
from sojourn.identity.ceremonies import RelyingParty
from sojourn.identity.challenges import Challenges
from sojourn.identity.confirming import Confirming
from sojourn.identity.limits import AttemptLimit
from sojourn.identity.passkeys import Passkeys
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, Settings
from sojourn.vault.opener import Opener
from sojourn.workflow.ports import Office

from .ambient import SystemClock
from .installation import announced


def confirming(layout: Layout, settings: Settings, ledger: ScribeClient, office: Office, opener: Opener) -> Confirming:
    """Passwords, passkeys and what is confirmed with them."""
    clock = SystemClock()
    return Confirming(
        keys=Passkeys(
            office=office,
            challenges=Challenges(clock.now, secrets.token_bytes),
            party=lambda: RelyingParty(public_url(layout, settings)),
        ),
        sign=ledger.sign,
        reader=PasswordReader(matter=ledger.matter, open_value=opener.open_value),
        limit=AttemptLimit(clock.now),
        mode=settings.control.step_up,
    )


def public_url(layout: Layout, settings: Settings) -> str:
    """The address that people's browsers show: that of the settings, or of a browser on this machine."""
    _, port = announced(layout.run / "control.json") or ("", settings.control.port)
    return settings.control.public_url or f"http://localhost:{port}"
