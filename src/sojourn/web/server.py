"""The routes of the API, all below /api/v1."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route

from . import access, asking, bodies, people, record
from .exchange import Handler, answer, nowhere
from .services import Services
from .strangers import Strangers

ROUTES: tuple[tuple[str, str, Handler, type | None], ...] = (
    ("POST", "/sign-in", people.sign_in, bodies.SignIn),
    ("POST", "/sign-out", people.sign_out, bodies.Nothing),
    ("POST", "/enrol", people.enrol, bodies.Enrol),
    ("GET", "/me", people.me, None),
    ("POST", "/people/{name}/invitation", people.invite, bodies.Nothing),
    ("GET", "/targets", asking.targets, None),
    ("POST", "/targets/{name}/connection", access.connect, bodies.ConnectionAsk),
    ("POST", "/requests", asking.submit, bodies.Ask),
    ("GET", "/requests", asking.listing, None),
    ("GET", "/requests/{name}", asking.one, None),
    ("POST", "/requests/{name}/approve", asking.approve, bodies.Decision),
    ("POST", "/requests/{name}/deny", asking.deny, bodies.Decision),
    ("POST", "/requests/{name}/withdraw", asking.withdraw, bodies.Nothing),
    ("POST", "/requests/{name}/activate", access.activate, bodies.Nothing),
    ("GET", "/grants", access.listing, None),
    ("GET", "/grants/{name}", access.one, None),
    ("POST", "/grants/{name}/revoke", access.revoke, bodies.Nothing),
    ("POST", "/grants/{name}/end", access.end, bodies.Nothing),
    ("GET", "/grants/{name}/evidence", record.evidence, None),
    ("GET", "/sessions", record.sessions, None),
    ("GET", "/sessions/{name}", record.session, None),
    ("GET", "/sessions/{name}/actions", record.actions, None),
    ("GET", "/attempts", record.attempts, None),
    ("GET", "/ledger", record.ledger, None),
    ("GET", "/health", record.health, None),
)
"""Method, path, handler and body of everything the API does."""


def build(services: Services) -> Starlette:
    """The application."""
    routes = [Route(path, answer(handler), methods=[method]) for method, path, handler, _ in ROUTES]
    application = Starlette(routes=[Mount("/api/v1", routes=routes)], exception_handlers={HTTPException: nowhere})
    application.state.services = services
    application.state.strangers = Strangers(services.office.clock.now)
    return application
