"""Setting up an account with a browser: the one-time code of an invitation for a passkey, or for a password."""

from __future__ import annotations

from msgspec import Struct

from sojourn.domain.identifiers import PersonId
from sojourn.errors import Refusal
from sojourn.identity import accounts, passkeys
from sojourn.identity.ceremonies import read_credential
from sojourn.meanings import CATALOGUE
from sojourn.web.exchange import Exchange

from .frame import SIGN_IN, Onward, Shown, show


class Enrol(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form: a password, or the passkey that was made (`credential`, JSON) for what was asked with `ticket`."""

    person: str
    code: str
    password: str = ""
    ticket: str = ""
    credential: str = ""


LABEL = "the first one"
"""What a passkey is called that sets an account up; its person has not seen a page yet where they could say."""


async def ask(exchange: Exchange) -> Shown:
    """GET /enrol. The code is in the part of the address that a browser keeps to itself, and so in nobody's log."""
    return _page(exchange, exchange.query("person") or "")


async def enrol(exchange: Exchange) -> Shown | Onward:
    """POST /enrol: the account is set up; its person signs in with what they chose."""
    services, sent = exchange.services, await exchange.body(Enrol)
    person = PersonId(sent.person)
    answer: object
    if sent.credential:
        answer = await passkeys.register(
            services.passkeys,
            person=person,
            code=sent.code,
            label=LABEL,
            ticket=sent.ticket,
            credential=read_credential(sent.credential),
            source=exchange.source,
        )
    else:
        answer = await accounts.enrol(
            services.office,
            person=person,
            code=sent.code,
            password=sent.password,
            source=exchange.source,
            minimum=services.settings.control.password_length_min,
        )
    return _page(exchange, sent.person, answer) if isinstance(answer, Refusal) else Onward(path=SIGN_IN)


def _page(exchange: Exchange, person: str, refusal: Refusal | None = None) -> Shown:
    status = 200 if refusal is None else CATALOGUE[refusal.code].http_status
    minimum = exchange.services.settings.control.password_length_min
    return show("enrol.html", status=status, person=person[:100], minimum=minimum, refusal=refusal)
