"""The witness over HTTP (C2SP tlog-witness), for logs and for anybody who wants to know what it has seen.

    POST /add-checkpoint          a submission; the cosignature, or why there is none
    GET  /checkpoint/<origin>     the newest checkpoint cosigned for a log
    GET  /                        the witness's key

Nothing but the checkpoint's own signature is asked of a caller, so a stranger can cost it a request and no more:
bodies, their time, the number of open requests and the rate from one address are bounded.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sojourn.ledger.submission import BYTES_MAX

from .rate import RateLimit
from .service import Answer, Witness

BODY_SECONDS = 10.0


def build(witness: Witness, *, limit: RateLimit, failed: Callable[[], None]) -> Starlette:
    """The application. `failed` is called when the store failed: the process has to end, and cosigns nothing more."""

    broken = False

    async def add_checkpoint(request: Request) -> Response:
        nonlocal broken
        body = await _body(request)
        if isinstance(body, Response):
            return body
        try:
            if not broken:
                return _response(witness.add_checkpoint(body))
        except sqlite3.Error as error:
            structlog.get_logger("witness").error("stopping, a decision could not be kept", text=str(error))
            broken = True
            failed()
        return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "The witness could not remember what it decided, and stops.")

    async def checkpoint(request: Request) -> Response:
        return _response(witness.checkpoint(request.path_params["origin"]))

    async def key(request: Request) -> Response:
        return PlainTextResponse(f"{witness.key.cosigner().vkey()}\n")

    def limited(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def heard(request: Request) -> Response:
            if not limit.take(request.client.host if request.client else ""):
                answer = _plain(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests.")
                answer.headers["Retry-After"] = "1"
                return answer
            return await endpoint(request)

        return heard

    return Starlette(
        routes=[
            Route("/add-checkpoint", limited(add_checkpoint), methods=["POST"]),
            Route("/checkpoint/{origin:path}", limited(checkpoint), methods=["GET"]),
            Route("/", limited(key), methods=["GET"]),
        ]
    )


async def _body(request: Request) -> bytes | Response:
    """The body, or the answer to one that is too long or too slow."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > BYTES_MAX:
                    return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {BYTES_MAX} bytes.")
    except TimeoutError:
        return _plain(HTTPStatus.REQUEST_TIMEOUT, f"A submission arrives within {BODY_SECONDS:.0f} seconds.")
    except ClientDisconnect:
        return _plain(HTTPStatus.BAD_REQUEST, "The submission was cut short.")
    return bytes(body)


def _response(answer: Answer) -> Response:
    return Response(answer.body, status_code=answer.status, headers={"Content-Type": answer.content_type})


def _plain(status: HTTPStatus, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status_code=status)
