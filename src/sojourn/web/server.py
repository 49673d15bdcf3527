"""The application: the JSON API below /api/v1."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route

from .api.endpoints import ENDPOINTS
from .api.exchange import answer, nowhere
from .services import Services
from .strangers import Strangers


def build(services: Services) -> Starlette:
    """The application."""
    routes = [Route(one.path, answer(one.handler), methods=[one.method]) for one in ENDPOINTS]
    application = Starlette(routes=[Mount("/api/v1", routes=routes)], exception_handlers={HTTPException: nowhere})
    application.state.services = services
    application.state.strangers = Strangers(services.office.clock.now)
    return application
