"""What a directory asks of the service itself (RFC 7644, 4)."""

from __future__ import annotations

from starlette.responses import Response

from sojourn.errors import Code, SojournError
from sojourn.web.exchange import Exchange

from . import resources
from .answering import listing, program, resource
from .looking import root
from .resources import Resource


async def configuration(exchange: Exchange) -> Response:
    """GET /ServiceProviderConfig."""
    await program(exchange)
    return resource(resources.configuration(root(exchange)))


async def resource_types(exchange: Exchange) -> Response:
    """GET /ResourceTypes."""
    await program(exchange)
    found = resources.resource_types(root(exchange))
    return listing(resources.listed(found, 1, len(found)))


async def resource_type(exchange: Exchange) -> Response:
    """GET /ResourceTypes/{name}."""
    await program(exchange)
    return resource(_named(resources.resource_types(root(exchange)), exchange.name))


async def schemas(exchange: Exchange) -> Response:
    """GET /Schemas."""
    await program(exchange)
    found = resources.schemas(root(exchange))
    return listing(resources.listed(found, 1, len(found)))


async def schema(exchange: Exchange) -> Response:
    """GET /Schemas/{name}."""
    await program(exchange)
    return resource(_named(resources.schemas(root(exchange)), exchange.name))


def _named(found: list[Resource], name: str) -> Resource:
    one = next((one for one in found if one["id"] == name), None)
    if one is None:
        raise SojournError(Code.DIRECTORY_UNKNOWN, what="description", name=name[:100])
    return one
