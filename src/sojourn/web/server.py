"""The application: the JSON API below /api/v1, the pages, and the files that pages load."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Mount, Route

<<<<<<< HEAD
from . import (
    access,
    asking,
    auditing,
    break_glass,
    certifying,
    configuration,
    deciding,
    facts,
    keeping,
    people,
    record,
    recording,
    reporting,
    reviewing,
    spans,
    ssh,
    standing,
    stopping,
    targets,
)
from .exchange import Handler, answer, nowhere
from .services import Services
from .strangers import Strangers

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/sign-in", people.sign_in),
    ("POST", "/sign-out", people.sign_out),
    ("POST", "/enrol", people.enrol),
    ("GET", "/me", people.me),
    ("POST", "/people/{name}/invitation", people.invite),
    ("POST", "/people/{name}/leave", standing.leave),
    ("POST", "/people/{name}/rejoin", standing.rejoin),
    ("GET", "/people/{name}/look-back", standing.looked_back),
    ("POST", "/absences", standing.declare),
    ("GET", "/absences", standing.listing),
    ("POST", "/absences/{name}/end", standing.end),
    ("GET", "/configuration", configuration.in_force),
    ("GET", "/configuration/files", configuration.files),
    ("POST", "/configuration/changes", configuration.propose),
    ("GET", "/configuration/changes", configuration.listing),
    ("GET", "/configuration/changes/{name}", configuration.one),
    ("POST", "/configuration/changes/{name}/approve", configuration.approve),
    ("POST", "/configuration/changes/{name}/withdraw", configuration.withdraw),
    ("POST", "/facts", facts.tell),
    ("POST", "/facts/withdraw", facts.withdraw),
    ("GET", "/facts", facts.listing),
    ("GET", "/targets", asking.targets),
    ("POST", "/targets/{name}/connection", access.connect),
    ("GET", "/targets/{name}/ssh-setup", ssh.setup),
    ("POST", "/ssh-keys", ssh.key),
    ("POST", "/ssh-keys/{name}/revoke", ssh.forget),
    ("POST", "/targets/{name}/preflight", targets.preflight),
    ("POST", "/targets/{name}/reconcile", targets.reconcile),
    ("GET", "/targets/{name}/looks", targets.listing),
    ("POST", "/requests", asking.submit),
    ("GET", "/requests", asking.listing),
    ("GET", "/requests/{name}", asking.one),
    ("POST", "/requests/{name}/approve", deciding.approve),
    ("POST", "/requests/{name}/approve-less", deciding.approve_less),
    ("POST", "/requests/{name}/deny", deciding.deny),
    ("POST", "/requests/{name}/comments", deciding.comment),
    ("POST", "/requests/{name}/revise", asking.revise),
    ("POST", "/requests/{name}/withdraw", asking.withdraw),
    ("POST", "/requests/{name}/withdraw-approval", deciding.withdraw_approval),
    ("POST", "/requests/{name}/activate", access.activate),
    ("POST", "/requests/{name}/disposition", auditing.dispose),
    ("POST", "/break-glass", break_glass.take),
    ("GET", "/grants", access.listing),
    ("GET", "/spans", spans.listing),
    ("GET", "/grants/{name}", access.one),
    ("POST", "/grants/{name}/extend", asking.extend),
    ("POST", "/grants/{name}/revoke", access.revoke),
    ("POST", "/grants/{name}/end", access.end),
    ("GET", "/grants/{name}/evidence", auditing.evidence),
    ("GET", "/reports", reporting.listing),
    ("POST", "/reports", reporting.ask),
    ("GET", "/report-runs/{name}", reporting.one),
    ("GET", "/report-runs/{name}/file", reporting.file),
    ("GET", "/reviews", reviewing.listing),
    ("GET", "/reviews/{name}", reviewing.one),
    ("POST", "/reviews/{name}/notes", reviewing.note),
    ("POST", "/reviews/{name}/conclude", reviewing.conclude),
    ("POST", "/campaigns", certifying.begin),
    ("GET", "/campaigns", certifying.listing),
    ("GET", "/campaigns/{name}", certifying.one),
    ("POST", "/campaigns/{name}/decisions", certifying.decide),
    ("POST", "/campaigns/{name}/close", certifying.close),
    ("GET", "/sessions", record.sessions),
    ("GET", "/sessions/{name}", record.session),
    ("GET", "/sessions/{name}/actions", record.actions),
    ("GET", "/sessions/{name}/recording", recording.read),
    ("POST", "/sessions/{name}/stop", stopping.session),
    ("GET", "/attempts", record.attempts),
    ("POST", "/holds", keeping.place_hold),
    ("GET", "/holds", keeping.holds),
    ("POST", "/holds/{name}/release", keeping.release_hold),
    ("POST", "/shreddings", keeping.request_shredding),
    ("GET", "/shreddings", keeping.shreddings),
    ("POST", "/shreddings/{name}/confirm", keeping.confirm_shredding),
    ("POST", "/shreddings/{name}/withdraw", keeping.withdraw_shredding),
    ("GET", "/retention", keeping.retention),
    ("POST", "/retention", keeping.set_retention),
    ("POST", "/retention/{name}/confirm", keeping.confirm_shortening),
    ("POST", "/retention/{name}/withdraw", keeping.withdraw_shortening),
    ("POST", "/disposals", keeping.dispose),
    ("GET", "/disposals/{name}/certificate", keeping.certificate),
    ("GET", "/ledger", record.ledger),
    ("GET", "/health", record.health),
)
"""Method, path and handler of everything the API does."""
=======
from .api.answering import answer, nowhere
from .api.endpoints import ENDPOINTS
from .pages.frame import lost, page
from .pages.statics import static
from .pages.table import PAGES
from .services import Services
from .strangers import Strangers

API = "/api/v1"
>>>>>>> main


def build(services: Services) -> Starlette:
    """The application."""
    application = Starlette(
        routes=[
            Mount(API, routes=[Route(one.path, answer(one.handler), methods=[one.method]) for one in ENDPOINTS]),
            Route("/static/{hash}/{name}", static, methods=["GET"]),
            *(Route(one.path, page(one.handler), methods=[one.method]) for one in PAGES),
        ],
        exception_handlers={HTTPException: _nowhere},
    )
    application.state.services = services
    application.state.strangers = Strangers(services.office.clock.now)
    return application


async def _nowhere(http: HttpRequest, error: Exception) -> Response:
    return await (nowhere if http.url.path.startswith(API) else lost)(http, error)
