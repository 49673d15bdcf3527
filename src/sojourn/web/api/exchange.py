"""One request and its answer: who asks, what they sent, and how every refusal reads.

- Whatever is refused is on record before the answer is sent. What strangers try from one address is recorded a few
  times a minute and then only counted and answered: nobody can fill the ledger from outside.
- Pages of other sites are turned away: no browser is made to act for the person who sits in front of it.
- What nobody foresaw is logged under a reference, and only the reference is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sojourn.domain.break_glass import FRESH
from sojourn.domain.events import TokenIssued, TokenPurpose
from sojourn.domain.people import Person
from sojourn.errors import Code, Refusal, SojournError
from sojourn.identity import tokens
from sojourn.meanings import CATALOGUE
from sojourn.web.services import Services
from sojourn.web.strangers import Strangers
from sojourn.workflow.deciding import Attempt, refuse

from .shapes import ErrorShown, Problem

BODY_BYTES_MAX = 64 * 1024
BODY_SECONDS = 10.0
PAGE = 100
"""Rows that a list shows at once."""

PLACE_DIGITS_MAX = 15
"""More than any ledger has entries, and less than SQLite's integers hold."""
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}

log = structlog.get_logger("api")

T = TypeVar("T")
Handler = Callable[["Exchange"], Awaitable[object]]


class RefusedError(Exception):
    """The answer is a refusal, which is on record already."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Exchange:
    """What a handler works with."""

    def __init__(self, services: Services, http: HttpRequest) -> None:
        """Of one HTTP request."""
        self.services = services
        self.http = http
        self._token: TokenIssued | None = None

    @property
    def source(self) -> str:
        """The address that the request came from."""
        client = self.http.client
        return f"{client.host}:{client.port}" if client is not None else ""

    @property
    def name(self) -> str:
        """The name in the path."""
        return str(self.http.path_params["name"])

    def query(self, name: str) -> str | None:
        """A parameter of the query."""
        return self.http.query_params.get(name)

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
        scheme, _, text = self.http.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise SojournError(Code.CREDENTIALS_MISSING)
        issued = await tokens.recognise(services.office, text.strip(), purpose=TokenPurpose.API)
        if isinstance(issued, Refusal):
            raise SojournError(issued.code, **issued.details)
        person = services.office.in_force().catalogue.person(issued.person)
        assert person is not None, "a token of somebody unknown opens nothing"
        self._token = issued
        return person

    @property
    def token(self) -> TokenIssued:
        """The caller's token, after `caller`."""
        assert self._token is not None
        return self._token

    async def require_fresh(self) -> None:
        """Refuse a caller who has not shown who they are in the last minutes. Raises SojournError `sign_in.stale`."""
        office = self.services.office
        if office.clock.now() - await tokens.issued_at(office, self.token.token) >= FRESH:
            minutes = str(FRESH // timedelta(minutes=1))
            raise SojournError(Code.SIGN_IN_STALE, person=self.token.person, minutes=minutes)

    async def record(self, refusal: Refusal) -> None:
        """Put a refusal on record, unless it is one of a stranger's many (see `strangers`).

        Raises SojournError from the ledger: no answer without a record.
        """
        actor, on_record = "", refusal
        if self._token is not None:
            actor = self._token.person
        else:
            strangers: Strangers = self.http.app.state.strangers
            unsaid = strangers.counted(self.source.rsplit(":", 1)[0])
            if unsaid is None:
                return
            if unsaid:
                on_record = Refusal(refusal.code, {**refusal.details, "not_recorded_before": str(unsaid)})
        attempt = Attempt(verb=self.http.method.lower(), actor=actor, source=self.source)
        await refuse(self.services.office, attempt, self.http.url.path, on_record)

    async def body(self, kind: type[T], *, bytes_max: int = BODY_BYTES_MAX) -> T:
        """What was sent, as `kind`. Raises SojournError `input.invalid`."""
        sent = await self._received(bytes_max)
        media = self.http.headers.get("content-type", "").partition(";")[0].strip().lower()
        if sent and media != "application/json":
            raise SojournError(
                Code.INPUT_INVALID, problem="The body is not said to be JSON", expected="content-type: application/json"
            )
        try:
            return msgspec.json.decode(sent or b"{}", type=kind)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise SojournError(
                Code.INPUT_INVALID, problem=f"The body will not do: {error}", expected="see docs/reference/api.md"
            ) from error

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


def answer(handler: Handler) -> Callable[[HttpRequest], Awaitable[Response]]:
    """The endpoint around a handler: its value as JSON, or the problem with the catalogue's status."""

    async def endpoint(http: HttpRequest) -> Response:
        exchange = Exchange(http.app.state.services, http)
        try:
            _turn_away_other_sites(http)
            value = await handler(exchange)
        except RefusedError as error:
            return _problem(error.refusal)
        except SojournError as error:
            return _problem(await _recorded(exchange, error.refusal))
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:
            # The top of this task: the caller gets a reference, the operator the whole of it.
            reference = exchange.services.office.new_id("x")
            log.exception("unforeseen", reference=reference, method=http.method, path=http.url.path)
            return _problem(Refusal(Code.INTERNAL, {"reference": reference}))
        return value if isinstance(value, Response) else _json({} if value is None else value, 200)

    return endpoint


async def nowhere(http: HttpRequest, error: Exception) -> Response:
    """The answer when there is no such address, or not with that method."""
    assert isinstance(error, HTTPException)
    problem = "There is no such address" if error.status_code == 404 else "This address is not used like that"
    refusal = Refusal(Code.INPUT_INVALID, {"problem": problem, "expected": "see docs/reference/api.md"})
    answered = _problem(refusal)
    answered.status_code = error.status_code
    answered.headers.update(error.headers or {})
    return answered


def _turn_away_other_sites(http: HttpRequest) -> None:
    """Raises SojournError `permission.denied` for what a page of another site made a browser send (Fetch, 3.2)."""
    origin = http.headers.get("origin")
    if origin is None or origin.partition("://")[2] == http.headers.get("host"):
        return
    raise SojournError(
        Code.PERMISSION_DENIED,
        person="A page of another site",
        action="use this API",
        who="the person who is signed in, with the command line",
    )


async def _recorded(exchange: Exchange, refusal: Refusal) -> Refusal:
    """The refusal, on record if it is one of what was asked and not of our own means."""
    if CATALOGUE[refusal.code].http_status >= 500 or refusal.code.startswith("record."):
        return refusal
    try:
        await exchange.record(refusal)
    except SojournError as error:
        return error.refusal
    return refusal


def _problem(refusal: Refusal) -> Response:
    problem = Problem(
        code=refusal.code,
        message=refusal.sentence,
        next_step=refusal.next_step,
        details=dict(refusal.details),
    )
    return _json(ErrorShown(error=problem), CATALOGUE[refusal.code].http_status)


def _json(value: object, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, HEADERS, media_type="application/json")
