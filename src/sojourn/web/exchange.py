"""One request and its answer: who asks, what they sent, and how every refusal reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sojourn.domain.events import TokenIssued, TokenPurpose
from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import Person
from sojourn.errors import Code, Refusal, SojournError
from sojourn.identity import tokens
from sojourn.meanings import CATALOGUE
from sojourn.workflow.deciding import Attempt, refuse

from .services import Services
from .shapes import Problem

BODY_BYTES_MAX = 64 * 1024
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}

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

    async def caller(self) -> Person:
        """Who asks. Raises RefusedError when the token opens nothing; that is on record."""
        services = self.services
        scheme, _, text = self.http.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise RefusedError(Refusal(Code.CREDENTIALS_MISSING))
        issued = await tokens.recognise(services.office, text.strip(), purpose=TokenPurpose.API)
        if isinstance(issued, Refusal):
            attempt = Attempt(verb=f"{self.http.method} {self.http.url.path}", actor="", source=self.source)
            raise RefusedError(await refuse(services.office, attempt, "", issued))
        self._token = issued
        person = services.office.in_force().catalogue.person(issued.person)
        assert person is not None, "a token of somebody unknown opens nothing"
        return person

    @property
    def token(self) -> TokenIssued:
        """The caller's token, after `caller`."""
        assert self._token is not None
        return self._token

    async def forbid(self, person: PersonId, action: str, who: str) -> RefusedError:
        """The recorded refusal of something that this person may not do."""
        refusal = Refusal(Code.PERMISSION_DENIED, {"person": person, "action": action, "who": who})
        attempt = Attempt(verb=f"{self.http.method} {self.http.url.path}", actor=person, source=self.source)
        return RefusedError(await refuse(self.services.office, attempt, self.http.url.path, refusal))

    async def body(self, kind: type[T]) -> T:
        """What was sent, as `kind`. Raises SojournError `input.invalid`."""
        received = bytearray()
        async for chunk in self.http.stream():
            received += chunk
            if len(received) > BODY_BYTES_MAX:
                raise SojournError(
                    Code.INPUT_INVALID, problem="The body is too large", expected=f"at most {BODY_BYTES_MAX} bytes"
                )
        try:
            return msgspec.json.decode(bytes(received) or b"{}", type=kind)
        except msgspec.MsgspecError as error:
            raise SojournError(
                Code.INPUT_INVALID, problem=f"The body will not do: {error}", expected="see docs/reference/api.md"
            ) from error

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
        try:
            value = await handler(Exchange(http.app.state.services, http))
        except RefusedError as error:
            return _problem(error.refusal)
        except SojournError as error:
            return _problem(error.refusal)
        return value if isinstance(value, Response) else _json({} if value is None else value, 200)

    return endpoint


def _problem(refusal: Refusal) -> Response:
    problem = Problem(
        code=refusal.code,
        message=refusal.sentence,
        next_step=refusal.next_step,
        details=dict(refusal.details),
    )
    return _json({"error": problem}, CATALOGUE[refusal.code].http_status)


def _json(value: object, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, HEADERS, media_type="application/json")
