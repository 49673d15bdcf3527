"""How the API answers: a handler's value as JSON, or the problem with the status that belongs to its code."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sojourn.domain.people import Scope
from sojourn.errors import Code, Refusal
from sojourn.meanings import CATALOGUE
from sojourn.web.exchange import SAFE, Exchange, Handler, settle

from .repeating import HEADER, repeatable
from .shapes import ErrorShown, Problem

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def answer(handler: Handler, scope: Scope | None, *, secret: bool) -> Callable[[HttpRequest], Awaitable[Response]]:
    """The endpoint around a handler: its value as JSON, or the problem with the catalogue's status.

    `scope` is what a token needs that was made for a program; with None, none will do. A `secret` answer is not kept.
    """

    async def endpoint(http: HttpRequest) -> Response:
        key = http.headers.get(HEADER)
        chosen = handler if key is None or http.method in SAFE else repeatable(handler, key, secret=secret)
        value = await settle(Exchange(http.app.state.services, http, scope), chosen)
        if isinstance(value, Refusal):
            return problem(value)
        if isinstance(value, Response):
            return value
        return _tagged(http, _json({} if value is None else value, 200))

    return endpoint


def _tagged(http: HttpRequest, answered: Response) -> Response:
    """The answer with the entity tag of a look; without a body if the caller has it already (RFC 9110, 13.1.2)."""
    if http.method not in SAFE:
        return answered
    tag = f'"{hashlib.sha256(bytes(answered.body)).hexdigest()[:32]}"'
    if tag in (one.strip() for one in http.headers.get("if-none-match", "").split(",")):
        return Response(None, 304, {**HEADERS, "etag": tag})
    answered.headers["etag"] = tag
    return answered


async def nowhere(http: HttpRequest, error: Exception) -> Response:
    """The answer when there is no such address, or not with that method."""
    assert isinstance(error, HTTPException)
    missing = "There is no such address" if error.status_code == 404 else "This address is not used like that"
    refusal = Refusal(Code.INPUT_INVALID, {"problem": missing, "expected": "see docs/reference/api.md"})
    answered = problem(refusal)
    answered.status_code = error.status_code
    answered.headers.update(error.headers or {})
    return answered


def problem(refusal: Refusal) -> Response:
    """The answer to a refusal."""
    told = Problem(
        code=refusal.code,
        message=refusal.sentence,
        next_step=refusal.next_step,
        details=dict(refusal.details),
    )
    return _json(ErrorShown(error=told), CATALOGUE[refusal.code].http_status)


def _json(value: object, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, HEADERS, media_type="application/json")
