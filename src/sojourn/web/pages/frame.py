"""What every page has: who looks at it, its headers, and how a refusal reads there.

- A page is a handler that names a template and its values. A form is sent to an API handler and leads to a page.
- Whoever is not signed in is sent to the sign-in page and comes back to where they wanted to go, on this site alone.
- Nothing is loaded from elsewhere, and no script or style stands in a page (CSP level 3).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sojourn.domain.people import Person
from sojourn.errors import Code, Refusal, SojournError
from sojourn.meanings import CATALOGUE
from sojourn.web.exchange import SAFE, Exchange, Handler, settle

from . import showing
from .navigation import rooms_of

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

SIGN_IN = "/sign-in"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page: a template with its values."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """Another page of this site, where what was done can be seen."""

    path: str


def show(template: str, *, status: int = 200, **values: Any) -> Shown:
    """The page that `template` makes of `values`."""
    return Shown(template=template, values=values, status=status)


def page(handler: Handler) -> Callable[[HttpRequest], Awaitable[Response]]:
    """The endpoint around a page's handler, which gives Shown, Onward or a finished Response."""

    async def endpoint(http: HttpRequest) -> Response:
        exchange = Exchange(http.app.state.services, http)
        value = await settle(exchange, handler)
        match value:
            case Refusal():
                return await refused(exchange, value)
            case Onward():
                return RedirectResponse(value.path, 303, HEADERS)
            case Shown():
                return await _rendered(exchange, value)
            case Response():
                return value
            case _:
                raise TypeError(f"{http.url.path} gave {type(value).__name__}, which is no page")

    return endpoint


def form(handler: Callable[[Exchange], Awaitable[T]], then: Callable[[T], str]) -> Handler:
    """A form that an API handler takes; its answer says which page comes `then`."""

    async def sent(exchange: Exchange) -> Onward:
        return Onward(path=then(await handler(exchange)))

    return sent


async def refused(exchange: Exchange, refusal: Refusal) -> Response:
    """How a refusal reads: a page with the sentence and the next step; without a sign-in, the way to sign in."""
    if refusal.code in (Code.CREDENTIALS_MISSING, Code.CREDENTIALS_EXPIRED, Code.CREDENTIALS_INVALID):
        http = exchange.http
        back = http.url.path + (f"?{http.url.query}" if http.url.query else "")
        wanted = f"?next={quote(back, safe='/')}" if http.method in SAFE and back != "/" else ""
        return RedirectResponse(SIGN_IN + wanted, 303, HEADERS)
    status = CATALOGUE[refusal.code].http_status
    return await _rendered(exchange, show("refused.html", status=status, refusal=refusal))


async def lost(http: HttpRequest, error: Exception) -> Response:
    """The page for an address that is not there, or not used like that."""
    assert isinstance(error, HTTPException)
    missing = "There is no such page" if error.status_code == 404 else "This address is not used like that"
    refusal = Refusal(Code.INPUT_INVALID, {"problem": missing, "expected": "one of the rooms above"})
    exchange = Exchange(http.app.state.services, http)
    return await _rendered(exchange, show("refused.html", status=error.status_code, refusal=refusal))


async def looking(exchange: Exchange) -> Person | None:
    """Who looks at this page, or None for a stranger."""
    try:
        return await exchange.caller()
    except SojournError:
        return None


async def _rendered(exchange: Exchange, shown: Shown) -> Response:
    me = await looking(exchange)
    services, path = exchange.services, exchange.http.url.path
    values = {
        "me": me,
        "rooms": rooms_of(me),
        "path": path,
        "version": services.version,
        "now": services.office.clock.now(),
        **shown.values,
    }
    return HTMLResponse(_templates.get_template(shown.template).render(values), shown.status, HEADERS)


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("sojourn.web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=showing.harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        # Templates come with the release: nobody edits them below a running server.
        auto_reload=False,
    )
    made.filters.update(showing.FILTERS)
    made.globals["asset"] = showing.asset
    return made


_templates = _environment()
