"""The API as commands use it: one call of the signed-in person, and its JSON."""

from __future__ import annotations

from typing import Any

import httpx2

from sojourn.client.transport import given, place, read, transport
from sojourn.errors import Code, SojournError

from .common import Common

__all__ = ["call", "given", "place", "response", "send"]


def call(
    common: Common, method: str, path: str, body: dict[str, Any] | None = None, *, params: dict[str, str] | None = None
) -> Any:
    """The JSON that the API answers to the signed-in person.

    Raises SojournError with the API's own code, or `service.unreachable`.
    """
    answered = response(common, method, path, body, params=params)
    try:
        return answered.json()
    except ValueError as error:
        address = f"{answered.url.scheme}://{answered.url.netloc.decode()}"
        raise SojournError(Code.SERVICE_UNREACHABLE, address=f"{address} (what answers is not Sojourn)") from error


def response(
    common: Common, method: str, path: str, body: dict[str, Any] | None = None, *, params: dict[str, str] | None = None
) -> httpx2.Response:
    """As `call`, with the whole response."""
    profile = common.profile()
    return send(profile["url"], method, path, body, token=profile["token"], params=params)


def send(
    address: str,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    token: str = "",
    params: dict[str, str] | None = None,
) -> httpx2.Response:
    """One HTTP request to an installation's API. Raises as `call` does."""
    with transport(address) as http:
        return read(http, http.build_request(method, path, json=body, params=params), token=token)
