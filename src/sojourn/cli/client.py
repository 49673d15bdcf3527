"""The API's client: one call, its JSON, and its errors as our own."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import quote, urlsplit

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
    return read(response(common, method, path, body, params=params))


def given(**params: str | int | None) -> dict[str, str]:
    """The parameters of a query that were given."""
    return {name: str(value) for name, value in params.items() if value is not None}


def place(*parts: str) -> str:
    """The path of these parts below the API, each as it stands: no part can point anywhere else."""
    if any(part in ("", ".", "..") for part in parts):
        raise SojournError(Code.INPUT_INVALID, problem="That is no name or id", expected="one as the lists show it")
    return "".join("/" + quote(part, safe="") for part in parts)


def read(answered: httpx2.Response) -> Any:
    """The JSON of an answer. Raises SojournError `service.unreachable` when something else answers there."""
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
    _require_private(address)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        answered = httpx2.request(
            method, f"{address}/api/v1{path}", json=body, headers=headers, params=params, timeout=SECONDS
        )
    except httpx2.TimeoutException as error:
        raise SojournError(Code.SERVICE_TIMEOUT, what=f"{method} {path}", seconds=f"{SECONDS:g}") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
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


def _require_private(address: str) -> None:
    """Refuse to send secrets over a network without TLS. Raises SojournError `input.invalid`."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and (host == "localhost" or _is_loopback(host)):
        return
    raise SojournError(
        Code.INPUT_INVALID,
        problem=f"{address} will not do: passwords and tokens are not sent without TLS",
        expected="an address that begins with https://, or http:// on this machine",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
