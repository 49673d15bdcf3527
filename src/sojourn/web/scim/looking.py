"""What lists and single resources have in common: pages, filters, versions."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from sojourn.errors import Code, SojournError
from sojourn.web.exchange import PLACE_DIGITS_MAX, Exchange

from .answering import SCIM_ROOT, listing, resource
from .reading import invalid, read_filter
from .resources import PAGE_MAX, Resource, fits, listed, narrowed


def root(exchange: Exchange) -> str:
    """The address of this service as the installation is known by."""
    return exchange.services.passkeys.party().origin + SCIM_ROOT


def page(exchange: Exchange, found: Sequence[Resource]) -> Response:
    """What was asked for of a list."""
    given = exchange.query("filter")
    terms = read_filter(given) if given else ()
    start, count = max(1, _number(exchange, "startIndex", 1)), _number(exchange, "count", PAGE_MAX)
    attributes, excluded = exchange.query("attributes"), exchange.query("excludedAttributes")
    kept = [narrowed(one, attributes, excluded) for one in found if fits(one, terms)]
    return listing(listed(kept, start, min(max(0, count), PAGE_MAX)))


def shown(exchange: Exchange, found: Resource) -> Response:
    """One resource; without a body if the caller has it already."""
    if exchange.http.headers.get("if-none-match") == found["meta"]["version"]:
        return Response(None, 304, {"etag": found["meta"]["version"]})
    return resource(narrowed(found, exchange.query("attributes"), exchange.query("excludedAttributes")))


def require_unchanged(exchange: Exchange, found: Resource) -> None:
    """Refuse a change of something else than was read (RFC 7644, 3.14). Raises SojournError `directory.changed`."""
    wanted = exchange.http.headers.get("if-match")
    versions = [one.strip() for one in (wanted or "*").split(",")]
    if "*" not in versions and found["meta"]["version"] not in versions:
        raise SojournError(Code.DIRECTORY_CHANGED, name=str(found["id"])[:100])


def _number(exchange: Exchange, name: str, usual: int) -> int:
    given = exchange.query(name)
    if given is None:
        return usual
    digits = given.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= PLACE_DIGITS_MAX):
        raise invalid(f"`{name}` is a number")
    return int(given)
