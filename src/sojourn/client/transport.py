"""How the API is reached: over TLS or on this machine, with a deadline, and its refusals as our own errors."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import httpx2

from sojourn.errors import Code, SojournError

SECONDS = 40.0
ROOT = "/api/v1"
EVENT_BYTES_MAX = 64 * 1024 * 1024
"""More than any message of a stream has."""


def transport(address: str) -> httpx2.Client:
    """The connections to the API at `address`. Raises SojournError `input.invalid` where secrets would go in clear."""
    _require_private(address)
    try:
        return httpx2.Client(base_url=f"{address}{ROOT}", timeout=SECONDS)
    except httpx2.InvalidURL as error:
        raise SojournError(Code.SERVICE_UNREACHABLE, address=address) from error


def read(http: httpx2.Client, request: httpx2.Request, *, token: str) -> httpx2.Response:
    """The answer to one request.

    Raises SojournError: the API's own code, `service.timeout`, or `service.unreachable`.
    """
    if token:
        request.headers["authorization"] = f"Bearer {token}"
    with _translated(request) as address:
        answered = http.send(request)
    if answered.status_code >= 400:
        raise _error(answered, address)
    return answered


def hear(http: httpx2.Client, request: httpx2.Request, *, token: str) -> Iterator[httpx2.ServerSentEvent]:
    """The messages of a stream, each as it comes, until the stream ends. Raises SojournError as `read` does."""
    if token:
        request.headers["authorization"] = f"Bearer {token}"
    with _translated(request) as address:
        answered = http.send(request, stream=True)
        try:
            if answered.status_code >= 400:
                answered.read()
                raise _error(answered, address)
            yield from httpx2.EventSource(answered, EVENT_BYTES_MAX)
        finally:
            answered.close()


@contextmanager
def _translated(request: httpx2.Request) -> Iterator[str]:
    """Raises what goes wrong with the line as our own errors; gives the address that is asked."""
    address = f"{request.url.scheme}://{request.url.netloc.decode()}"
    try:
        yield address
    except httpx2.TimeoutException as error:
        what = f"{request.method} {request.url.path.removeprefix(ROOT)}"
        raise SojournError(Code.SERVICE_TIMEOUT, what=what, seconds=f"{SECONDS:g}") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SojournError(Code.SERVICE_UNREACHABLE, address=address) from error


def given(**params: str | int | None) -> dict[str, str]:
    """The parameters of a query that were given."""
    return {name: str(value) for name, value in params.items() if value is not None}


def place(*parts: str) -> str:
    """The path of these parts below the API, each as it stands: no part can point anywhere else."""
    if any(part in ("", ".", "..") for part in parts):
        raise SojournError(Code.INPUT_INVALID, problem="That is no name or id", expected="one as the lists show it")
    return "".join("/" + quote(part, safe="") for part in parts)


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
