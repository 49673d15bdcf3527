"""One HTTP request: who asks, what they sent, and how a refusal gets on record. Pages and API share it.

- Whoever asks shows a token: programs in a header, browsers in a cookie that no script can read.
- What changes something and comes with the cookie has to come from a page of ours: no other site makes a browser act
  for the person who sits in front of it.
- What strangers try from one address is recorded a few times a minute and then only counted and answered: nobody can
  fill the ledger from outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeVar, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec
import structlog
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sojourn.domain.break_glass import FRESH
from sojourn.domain.events import TokenIssued, TokenPurpose
from sojourn.domain.people import Person, Scope
from sojourn.errors import Code, Refusal, SojournError
from sojourn.identity import tokens
from sojourn.meanings import CATALOGUE
from sojourn.workflow.deciding import Attempt, refuse

from .services import Services

BODY_BYTES_MAX = 64 * 1024
BODY_SECONDS = 10.0
FIELDS_MAX = 200
PAGE = 100
"""Rows that a list shows at once."""

PLACE_DIGITS_MAX = 15
"""More than any ledger has entries, and less than SQLite's integers hold."""

COOKIE = "__Host-sojourn"
"""What a browser shows. The prefix binds it to this host, to all its paths and to a secure origin (RFC 6265bis)."""

SAFE = ("GET", "HEAD")
FORM = "application/x-www-form-urlencoded"

log = structlog.get_logger("web")

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
Handler = Callable[["Exchange"], Awaitable[object]]


class RefusedError(Exception):
    """The answer is a refusal, which is on record already."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Exchange:
    """What a handler works with."""

    def __init__(self, services: Services, http: HttpRequest, scope: Scope | None = None) -> None:
        """Of one HTTP request, which a token made for programs may bring if it has this scope; with None, never."""
        self.services = services
        self.http = http
        self.scope = scope
        self._token: TokenIssued | None = None
        self._named: str | None = None
        self._asked: Mapping[str, str] | None = None
        self._sent: bytes | None = None

    def beside(self, name: str | None = None, **query: str) -> Exchange:
        """The same caller with another name and other queries: how a page asks what else the API would answer."""
        other = Exchange(self.services, self.http, self.scope)
        other._token, other._named, other._asked = self._token, name, query
        return other

    @property
    def source(self) -> str:
        """The address that the request came from."""
        client = self.http.client
        return f"{client.host}:{client.port}" if client is not None else ""

    @property
    def name(self) -> str:
        """The name in the path."""
        return str(self.http.path_params["name"]) if self._named is None else self._named

    def query(self, name: str) -> str | None:
        """A parameter of the query."""
        return (self.http.query_params if self._asked is None else self._asked).get(name)

    def before(self) -> int | None:
        """Where a list goes on: the `next` of its last page. Raises SojournError `input.invalid`."""
        given = self.query("before")
        if given is None:
            return None
        if not (given.isascii() and given.isdecimal() and len(given) <= PLACE_DIGITS_MAX):
            raise SojournError(Code.INPUT_INVALID, problem="`before` is no place", expected="the `next` of a page")
        return int(given)

    def after(self) -> int:
        """Above which number an ascending list goes on; 0 for its start. Raises SojournError `input.invalid`."""
        given = self.query("after") or "0"
        if not (given.isascii() and given.isdecimal() and len(given) <= PLACE_DIGITS_MAX):
            raise SojournError(Code.INPUT_INVALID, problem="`after` is no number", expected="the `next` of a page")
        return int(given)

    async def caller(self) -> Person:
        """Who asks. Raises SojournError `credentials.…` when the token opens nothing."""
        services = self.services
        if self._token is None:
            text, purpose = self._shown()
            issued = await tokens.recognise(services.office, text, purpose=purpose)
            if isinstance(issued, Refusal):
                raise SojournError(issued.code, **issued.details)
            if purpose is TokenPurpose.BROWSER and not services.presence.seen(issued):
                await tokens.revoke(services.office, token=issued.token, person=issued.person)
                raise SojournError(Code.CREDENTIALS_EXPIRED)
            self._token = issued
        if self._token.scope and self.scope not in self._token.scope:
            action = f"do this with a token for {', '.join(self._token.scope)}"
            who = "its person, signed in"
            raise SojournError(Code.PERMISSION_DENIED, person=self._token.person, action=action, who=who)
        person = services.office.in_force().catalogue.person(self._token.person)
        if person is None:
            raise SojournError(Code.CREDENTIALS_INVALID)
        return person

    def _shown(self) -> tuple[str, TokenPurpose]:
        """The token that came along, and what it has to be for."""
        scheme, _, text = self.http.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and text:
            return text.strip(), TokenPurpose.API
        cookie = self.http.cookies.get(COOKIE)
        if not cookie:
            raise SojournError(Code.CREDENTIALS_MISSING)
        if self.http.method not in SAFE and not self.own_page:
            raise other_site()
        return cookie, TokenPurpose.BROWSER

    @property
    def own_page(self) -> bool:
        """Whether a browser says that a page of ours sent this (Fetch, 3.2; Fetch Metadata, 2.1)."""
        origin, site = self.http.headers.get("origin", ""), self.http.headers.get("sec-fetch-site", "same-origin")
        return bool(origin) and origin.partition("://")[2] == self.http.headers.get("host") and site == "same-origin"

    @property
    def token(self) -> TokenIssued:
        """The caller's token, after `caller`."""
        assert self._token is not None
        return self._token

    async def fresh(self) -> bool:
        """Whether the caller has shown who they are in the last minutes."""
        office = self.services.office
        return office.clock.now() - await tokens.issued_at(office, self.token.token) < FRESH

    async def require_fresh(self) -> None:
        """Refuse a caller who has not shown who they are in the last minutes. Raises SojournError `sign_in.stale`."""
        if not await self.fresh():
            minutes = str(FRESH // timedelta(minutes=1))
            raise SojournError(Code.SIGN_IN_STALE, person=self.token.person, minutes=minutes)

    async def record(self, refusal: Refusal) -> None:
        """Put a refusal on record, unless it is one of a stranger's many (see `workflow.strangers`).

        Raises SojournError from the ledger: no answer without a record.
        """
        actor = "" if self._token is None else self._token.person
        attempt = Attempt(verb=self.http.method.lower(), actor=actor, source=self.source, stranger=self._token is None)
        await refuse(self.services.office, attempt, self.http.url.path, refusal)

    async def body(self, kind: type[S], *, bytes_max: int = BODY_BYTES_MAX, any_form: bool = False) -> S:
        """What was sent, as `kind`: JSON, or a form of a page of ours. Raises SojournError `input.invalid`.

        With `any_form` a program may send a form too: where no cookie counts, no other site gains anything by one.
        """
        sent = await self._received(bytes_max) if self._sent is None else self._sent
        media = self.http.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if media == FORM and (any_form or self.own_page):
                return msgspec.convert(_fields(sent, kind), kind, strict=False)
            if sent and media != "application/json":
                raise SojournError(
                    Code.INPUT_INVALID,
                    problem="The body is not said to be JSON",
                    expected="content-type: application/json",
                )
            return msgspec.json.decode(sent or b"{}", type=kind)
        except (msgspec.MsgspecError, UnicodeError, ValueError) as error:
            raise SojournError(
                Code.INPUT_INVALID, problem=f"The body will not do: {error}", expected="see docs/reference/api.md"
            ) from error

    async def sent(self, *, bytes_max: int = BODY_BYTES_MAX) -> bytes:
        """What was sent, as it came; reading it does not take it from `body`."""
        if self._sent is None:
            self._sent = await self._received(bytes_max)
        return self._sent

    async def _received(self, bytes_max: int) -> bytes:
        received = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in self.http.stream():
                    received += chunk
                    if len(received) > bytes_max:
                        raise SojournError(
                            Code.INPUT_INVALID,
                            problem="The body is too large",
                            expected=f"at most {bytes_max} bytes",
                        )
        except TimeoutError as error:
            raise SojournError(Code.SERVICE_TIMEOUT, what="Sending the body", seconds=f"{BODY_SECONDS:g}") from error
        return bytes(received)

    def settled(self, answer: T | Refusal) -> T:
        """The answer. Raises RefusedError for a refusal, which the workflow has put on record."""
        if isinstance(answer, Refusal):
            raise RefusedError(answer)
        return answer

    async def caught_up(self) -> None:
        """Wait until the read models show everything on record, so that a writer reads its own write."""
        await self.services.projections.wait_for(await self.services.size(), 10.0)


async def settle(exchange: Exchange, handler: Handler) -> object | Refusal:
    """What a handler answers; or the refusal, which is on record unless it is one of our own means."""
    try:
        if exchange.http.headers.get("origin") is not None and not exchange.own_page:
            raise other_site()
        return await handler(exchange)
    except RefusedError as error:
        return error.refusal
    except SojournError as error:
        return await _recorded(exchange, error.refusal)
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception:
        # The top of this task: the caller gets a reference, the operator the whole of it.
        reference = exchange.services.office.new_id("x")
        log.exception("unforeseen", reference=reference, method=exchange.http.method, path=exchange.http.url.path)
        return Refusal(Code.INTERNAL, {"reference": reference})


async def _recorded(exchange: Exchange, refusal: Refusal) -> Refusal:
    if CATALOGUE[refusal.code].http_status >= 500 or refusal.code.startswith("record."):
        return refusal
    try:
        await exchange.record(refusal)
    except SojournError as error:
        return error.refusal
    return refusal


def other_site() -> SojournError:
    """The refusal of what a page of another site made a browser send."""
    return SojournError(
        Code.PERMISSION_DENIED,
        person="A page of another site",
        action="act here",
        who="the person who is signed in, on a page of this site or with the command line",
    )


def _fields(sent: bytes, kind: type[msgspec.Struct]) -> dict[str, object]:
    """A form's fields as `kind` names them.

    What may come several times is a list, `files.a` is the `a` of an object, and an empty number is left out.
    """
    pairs = parse_qsl(sent.decode(), keep_blank_values=True, strict_parsing=bool(sent), max_num_fields=FIELDS_MAX)
    hints = get_type_hints(kind)
    fields: dict[str, object] = {}
    for name, value in pairs:
        whole, _, part = name.partition(".")
        if part and get_origin(hints.get(whole)) is dict:
            inner = fields.setdefault(whole, {})
            assert isinstance(inner, dict)
            inner[part] = value.replace("\r\n", "\n")
        elif get_origin(hints.get(name)) is tuple:
            several = fields.setdefault(name, [])
            assert isinstance(several, list)
            several += [value] if value else []
        elif name in fields:
            raise ValueError(f"`{name[:50]}` is given twice")
        elif value or hints.get(name) is str:
            fields[name] = value.replace("\r\n", "\n")
        elif name not in hints:
            raise ValueError(f"there is no `{name[:50]}`")
    return fields
