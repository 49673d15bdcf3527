"""Setting up an account with a browser: the one-time code of an invitation for a password."""

from __future__ import annotations

from msgspec import Struct

from sojourn.domain.identifiers import PersonId
from sojourn.errors import Refusal
from sojourn.identity import accounts
from sojourn.meanings import CATALOGUE
from sojourn.web.exchange import Exchange

from .frame import SIGN_IN, Onward, Shown, show


class Enrol(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form."""

    person: str
    code: str
    password: str


async def ask(exchange: Exchange) -> Shown:
    """GET /enrol. The code is in the part of the address that a browser keeps to itself, and so in nobody's log."""
    return _page(exchange, exchange.query("person") or "")


async def enrol(exchange: Exchange) -> Shown | Onward:
    """POST /enrol: the account is set up; its person signs in with what they chose."""
    services, sent = exchange.services, await exchange.body(Enrol)
    answer = await accounts.enrol(
        services.office,
        person=PersonId(sent.person),
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
