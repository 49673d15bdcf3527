"""Signing in and out with a browser: the token goes into a cookie that no script reads, and ends on record."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct
from starlette.responses import RedirectResponse, Response

from sojourn.domain.events import TokenPurpose
from sojourn.domain.identifiers import PersonId
from sojourn.errors import Refusal
from sojourn.identity import accounts, passkeys, tokens
from sojourn.identity.ceremonies import read_credential
from sojourn.meanings import CATALOGUE
from sojourn.web.exchange import COOKIE, Exchange

from .frame import HEADERS, SIGN_IN, Onward, Shown, looking, show


class SignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sign-in form: name and password, or a passkey's answer (`credential`, JSON) to what was asked with `ticket`.

    `next` is the page to go to.
    """

    person: str = ""
    password: str = ""
    code: str = ""
    next: str = "/"
    ticket: str = ""
    credential: str = ""


async def ask(exchange: Exchange) -> Shown | Onward:
    """GET /sign-in?next=…&person=…&anew=…: the form; a link may name who is to sign in, and nothing more.

    Whoever is signed in already sees it only if they want to sign in `anew`.
    """
    wanted = own_path(exchange.query("next"))
    if exchange.query("anew") is None and await looking(exchange) is not None:
        return Onward(path=wanted)
    return page(exchange, wanted, exchange.query("person") or "")


def page(exchange: Exchange, onward: str, person: str = "", refusal: Refusal | None = None) -> Shown:
    """The sign-in page, with what went wrong."""
    status = 200 if refusal is None else CATALOGUE[refusal.code].http_status
    oidc = exchange.services.settings.oidc
    provider = oidc.name if oidc.issuer else ""
    return show("sign_in.html", status=status, next=onward, person=person[:100], refusal=refusal, provider=provider)


async def sign_in(exchange: Exchange) -> Response | Shown:
    """POST /sign-in: a passkey's answer or a password for a session. None that was there before is taken over."""
    services, sent = exchange.services, await exchange.body(SignIn)
    if sent.credential:
        person = await passkeys.sign_in(
            services.passkeys,
            ticket=sent.ticket,
            credential=read_credential(sent.credential),
            source=exchange.source,
        )
    else:
        person = await accounts.sign_in(
            services.office,
            person=PersonId(sent.person),
            password=sent.password,
            code=sent.code,
            source=exchange.source,
            reader=services.passwords,
            limit=services.limit,
        )
    if isinstance(person, Refusal):
        return page(exchange, own_path(sent.next), sent.person, person)
    return await opened(exchange, person, sent.next)


async def opened(exchange: Exchange, person: PersonId, onward: str) -> Response:
    """A session for somebody who has shown who they are, in a cookie, and the page to go on to.

    One of theirs that the browser held so far is over.
    """
    services = exchange.services
    former = await looking(exchange)
    if former is not None and former.id == person:
        await tokens.revoke(services.office, token=exchange.token.token, person=person)
    token, _issued = await tokens.issue(
        services.office,
        person=person,
        purpose=TokenPurpose.BROWSER,
        life=services.settings.control.session_life,
        source=exchange.source,
        secret=services.random_bytes(tokens.SECRET_BYTES),
    )
    answered = RedirectResponse(own_path(onward), 303, HEADERS)
    age = int(services.settings.control.session_life.total_seconds())
    answered.set_cookie(COOKIE, token, max_age=age, path="/", secure=True, httponly=True, samesite="lax")
    return answered


async def sign_out(exchange: Exchange) -> Response:
    """POST /sign-out: the session is dead from here on, whoever kept its cookie."""
    person = await exchange.caller()
    await tokens.revoke(exchange.services.office, token=exchange.token.token, person=person.id)
    # What a browser stores is the ledger's head that it has seen: it is to know it again, whoever signs in next.
    answered = RedirectResponse(SIGN_IN, 303, {**HEADERS, "clear-site-data": '"cookies"'})
    answered.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answered


def own_path(given: str | None) -> str:
    """A page of this site to go to; the home page for anything else (no open redirect)."""
    if given is None or not given.startswith("/") or given.startswith(("//", "/\\")):
        return "/"
    if any(letter < " " or letter == "\\" for letter in given):
        return "/"
    parts = urlsplit(given)
    return "/" if parts.scheme or parts.netloc else given
