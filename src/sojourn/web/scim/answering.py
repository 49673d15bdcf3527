"""How a directory is answered: resources and errors of SCIM (RFC 7644, 3.8 and 3.12), and who may ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from sojourn.domain.people import Person, Scope
from sojourn.errors import Code, Refusal, SojournError
from sojourn.meanings import CATALOGUE
from sojourn.web.api.answering import HEADERS
from sojourn.web.exchange import Exchange, Handler, settle

from .reading import invalid
from .resources import MESSAGE, Resource

SCIM_ROOT = "/scim/v2"
MEDIA = "application/scim+json"
BODY_BYTES_MAX = 1024 * 1024
KINDS = {
    Code.DIRECTORY_FILTER: "invalidFilter",
    Code.DIRECTORY_VALUE: "invalidValue",
    Code.DIRECTORY_NOBODY: "invalidValue",
    Code.DIRECTORY_EXISTS: "uniqueness",
}


@dataclass(frozen=True, slots=True)
class Way:
    """One address below /scim/v2: method, path and handler. All of them are for a program with scope `provision`."""

    method: str
    path: str
    handler: Handler


def respond(way: Way) -> Callable[[HttpRequest], Awaitable[Response]]:
    """The endpoint around a handler, which gives a response, or raises a refusal that is on record then."""

    async def endpoint(http: HttpRequest) -> Response:
        value = await settle(Exchange(http.app.state.services, http, Scope.PROVISION), way.handler)
        if isinstance(value, Refusal):
            return problem(CATALOGUE[value.code].http_status, f"{value.sentence} {value.next_step}", value.code)
        assert isinstance(value, Response), "every handler gives a response"
        return value

    return endpoint


def nowhere(error: Exception) -> Response:
    """The answer when there is no such address, or not with that method."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "There is no such resource, or it is not used like that.", None)


def problem(status: int, detail: str, code: Code | None) -> Response:
    """An error as directories show it to their administrators."""
    kind = {} if code not in KINDS else {"scimType": KINDS[code]}
    told = {"schemas": [MESSAGE + "Error"], "status": str(status), **kind, "detail": detail}
    return _json(told, status, {"www-authenticate": "Bearer"} if status == 401 else {})


def resource(value: Resource, status: int = 200) -> Response:
    """One resource, with its version and where it is."""
    meta = value["meta"]
    headers = {"etag": meta["version"], "location": meta["location"]} if "version" in meta else {}
    return _json(value, status, headers)


def listing(value: Resource) -> Response:
    """A list of resources."""
    return _json(value, 200, {})


def _json(value: object, status: int, headers: Mapping[str, str]) -> Response:
    return Response(msgspec.json.encode(value), status, {**HEADERS, **headers}, media_type=MEDIA)


async def program(exchange: Exchange) -> Person:
    """The program that speaks for the directory. Raises SojournError `permission.denied` for anybody else."""
    caller = await exchange.caller()
    if Scope.PROVISION not in exchange.token.scope:
        who = "a program whose token has the scope provision"
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action="speak for the directory", who=who)
    return caller


async def sent(exchange: Exchange) -> dict[str, Any]:
    """The object that came along. Raises SojournError `directory.value_invalid`."""
    media = exchange.http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in (MEDIA, "application/json"):
        raise invalid(f"what is sent is {MEDIA}")
    try:
        found = msgspec.json.decode(await exchange.sent(bytes_max=BODY_BYTES_MAX))
    except msgspec.DecodeError as error:
        raise invalid("what was sent is no JSON") from error
    if not isinstance(found, dict):
        raise invalid("what is sent is an object")
    return found
