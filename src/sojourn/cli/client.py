"""The API's client: one call, its JSON, and its errors as our own."""

from __future__ import annotations

from typing import Any

import httpx2

from sojourn.errors import Code, SojournError

from .common import Common

SECONDS = 40.0


def call(
    common: Common, method: str, path: str, body: dict[str, Any] | None = None, *, params: dict[str, str] | None = None
) -> Any:
    """The JSON that the API answers to the signed-in person.

    Raises SojournError with the API's own code, or `service.unreachable`.
    """
    return response(common, method, path, body, params=params).json()


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
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        answered = httpx2.request(
            method, f"{address}/api/v1{path}", json=body, headers=headers, params=params, timeout=SECONDS
        )
    except httpx2.TimeoutException as error:
        raise SojournError(Code.SERVICE_TIMEOUT, what=f"{method} {path}", seconds=f"{SECONDS:g}") from error
    except httpx2.HTTPError as error:
        raise SojournError(Code.SERVICE_UNREACHABLE, address=address) from error
    if answered.status_code >= 400:
        raise _error(answered, address)
    return answered


def _error(answered: httpx2.Response, address: str) -> SojournError:
    try:
        problem = answered.json()["error"]
        return SojournError(Code(problem["code"]), **problem["details"])
    except (ValueError, KeyError, TypeError):
        return SojournError(Code.SERVICE_UNREACHABLE, address=f"{address} (it answered {answered.status_code})")
