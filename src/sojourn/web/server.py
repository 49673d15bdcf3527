"""The application: the JSON API below /api/v1, the pages, and the files that pages load."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Mount, Route

from .api.answering import HEADERS, answer, nowhere
from .api.endpoints import ENDPOINTS
from .api.openapi import ROOT, document
from .looks import Looks
from .pages.frame import lost, page
from .pages.statics import static
from .pages.table import PAGES
from .scim.answering import SCIM_ROOT, respond
from .scim.answering import nowhere as no_resource
from .scim.table import SCIM
from .services import Services


def build(services: Services) -> Starlette:
    """The application."""
    application = Starlette(
        routes=[
            Route(f"{ROOT}/openapi.json", _document, methods=["GET"]),
            Mount(
                ROOT,
                routes=[
                    Route(one.path, answer(one.handler, one.scope, secret=one.secret), methods=[one.method])
                    for one in ENDPOINTS
                ],
            ),
            Mount(SCIM_ROOT, routes=[Route(one.path, respond(one), methods=[one.method]) for one in SCIM]),
            Route("/static/{hash}/{name}", static, methods=["GET"]),
            *(Route(one.path, page(one.handler), methods=[one.method]) for one in PAGES),
        ],
        exception_handlers={HTTPException: _nowhere},
    )
    application.state.services = services
    application.state.looks = Looks()
    return application


async def _nowhere(http: HttpRequest, error: Exception) -> Response:
    if http.url.path.startswith(SCIM_ROOT):
        return no_resource(error)
    return await (nowhere if http.url.path.startswith(ROOT) else lost)(http, error)


async def _document(http: HttpRequest) -> Response:
    """GET /api/v1/openapi.json: what there is to call; nothing in it is secret."""
    services: Services = http.app.state.services
    return Response(document(services.version), 200, HEADERS, media_type="application/json")
