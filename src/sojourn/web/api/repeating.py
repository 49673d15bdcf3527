"""Calls that may be repeated: a program names each by a key, and it is carried out once (Idempotency-Key draft, 2)."""

from __future__ import annotations

import re

import msgspec
from starlette.responses import Response

from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal, SojournError
from sojourn.meanings import CATALOGUE
from sojourn.web.exchange import Exchange, Handler, RefusedError
from sojourn.workflow import once

from .viewing import SHREDDED, opened

HEADER = "idempotency-key"
KEY = re.compile(r"[!-~]{8,128}")


def repeatable(handler: Handler, key: str, *, secret: bool) -> Handler:
    """The handler, carried out once for `key`; the same call again gets the same answer.

    An answer that holds something `secret`, which is shown once, is never kept: such a call has no key.
    """

    async def settled(exchange: Exchange) -> object:
        caller, path = await exchange.caller(), exchange.http.url.path
        if KEY.fullmatch(key) is None or secret:
            problem = "The key will not do" if KEY.fullmatch(key) is None else "The answer holds a secret"
            expected = "8 to 128 printable characters, and none where a secret is answered"
            raise SojournError(Code.INPUT_INVALID, problem=problem, expected=expected)
        office = exchange.services.office
        address, body = f"{exchange.http.method} {path}", await exchange.sent()
        begun = await once.begin(office, person=caller.id, address=address, key=key, body=body)
        if isinstance(begun, Refusal):
            raise SojournError(begun.code, **begun.details)
        if isinstance(begun, Sealed):
            return await _again(exchange, begun)
        try:
            value = await handler(exchange)
        except (RefusedError, SojournError) as error:
            if CATALOGUE[error.refusal.code].http_status < 500:
                await once.settle(office, begun, None)
            raise
        if not isinstance(value, Response):
            await once.settle(office, begun, msgspec.json.encode({} if value is None else value))
        return value

    return settled


async def _again(exchange: Exchange, answer: Sealed) -> msgspec.Raw:
    text = await opened(exchange, answer.commitment)
    if text is None or text == SHREDDED:
        raise RefusedError(Refusal(Code.CALL_UNSETTLED, {"address": exchange.http.url.path}))
    return msgspec.Raw(text.encode())
