"""Every page and form: one table that serves and that tests walk, as each person and as a stranger."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.web.api.endpoints import OPEN, OVERSIGHT, PERSON, Permission
from sojourn.web.exchange import Handler

from . import asking_for, grants, home, ledger, overview, requests, sessions, signing_in


@dataclass(frozen=True, slots=True)
class Page:
    """One address: method, path, handler, and who may look or send."""

    method: str
    path: str
    handler: Handler
    permission: Permission


PAGES: tuple[Page, ...] = (
    Page("GET", "/sign-in", signing_in.ask, OPEN),
    Page("POST", "/sign-in", signing_in.sign_in, OPEN),
    Page("POST", "/sign-out", signing_in.sign_out, PERSON),
    Page("GET", "/", home.home, PERSON),
    Page("GET", "/catalogue", asking_for.catalogue, PERSON),
    Page("GET", "/ask", asking_for.ask, PERSON),
    Page("POST", "/ask", asking_for.submit, PERSON),
    Page("GET", "/requests", requests.listing, PERSON),
    Page("GET", "/requests/{name}", requests.one, PERSON),
    Page("POST", "/requests/{name}/approve", requests.approve, PERSON),
    Page("POST", "/requests/{name}/approve-less", requests.approve_less, PERSON),
    Page("POST", "/requests/{name}/deny", requests.deny, PERSON),
    Page("POST", "/requests/{name}/comments", requests.comment, PERSON),
    Page("POST", "/requests/{name}/withdraw", requests.withdraw, PERSON),
    Page("POST", "/requests/{name}/withdraw-approval", requests.withdraw_approval, PERSON),
    Page("POST", "/requests/{name}/activate", requests.activate, PERSON),
    Page("GET", "/grants", grants.listing, PERSON),
    Page("GET", "/grants/{name}", grants.one, PERSON),
    Page("POST", "/grants/{name}/extend", grants.extend, PERSON),
    Page("POST", "/grants/{name}/end", grants.end, PERSON),
    Page("POST", "/grants/{name}/revoke", grants.revoke, PERSON),
    Page("GET", "/sessions", sessions.listing, PERSON),
    Page("GET", "/sessions/{name}", sessions.one, PERSON),
    Page("GET", "/sessions/{name}/actions/{number}", sessions.action, PERSON),
    Page("GET", "/sessions/{name}/screen", sessions.screen, PERSON),
    Page("GET", "/overview", overview.overview, OVERSIGHT),
    Page("GET", "/ledger", ledger.head, PERSON),
    Page("GET", "/ledger/entries/{number}", ledger.entry, OVERSIGHT),
)
"""The table."""
