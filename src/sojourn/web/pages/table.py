"""Every page and form: one table that serves and that tests walk, as each person and as a stranger."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.web.api import reporting, sampling
from sojourn.web.api.endpoints import ADMINISTRATOR, AUDITOR, OPEN, OVERSIGHT, PERSON, Permission
from sojourn.web.exchange import Handler

from . import (
    asking_for,
    attempts,
    breaking_glass,
    campaigns,
    enrolling,
    exceptions,
    grants,
    home,
    keeping,
    ledger,
    overview,
    people,
    policies,
    provider,
    reports,
    requests,
    reviews,
    samples,
    sessions,
    signing_in,
    targets,
)


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
    Page("GET", "/sign-in/provider", provider.ask, OPEN),
    Page("GET", "/sign-in/provider/callback", provider.back, OPEN),
    Page("GET", "/enrol", enrolling.ask, OPEN),
    Page("POST", "/enrol", enrolling.enrol, OPEN),
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
    Page("GET", "/break-glass", breaking_glass.ask, PERSON),
    Page("POST", "/break-glass", breaking_glass.take, PERSON),
    Page("GET", "/reviews", reviews.listing, PERSON),
    Page("GET", "/reviews/{name}", reviews.one, PERSON),
    Page("POST", "/reviews/{name}/notes", reviews.note, PERSON),
    Page("POST", "/reviews/{name}/conclude", reviews.conclude, PERSON),
    Page("GET", "/campaigns", campaigns.listing, PERSON),
    Page("POST", "/campaigns", campaigns.begin, ADMINISTRATOR),
    Page("GET", "/campaigns/{name}", campaigns.one, PERSON),
    Page("POST", "/campaigns/{name}/decisions", campaigns.decide, PERSON),
    Page("POST", "/campaigns/{name}/close", campaigns.close, ADMINISTRATOR),
    Page("GET", "/me", people.me, PERSON),
    Page("POST", "/passkeys", people.add_passkey, PERSON),
    Page("POST", "/passkeys/{name}/remove", people.remove_passkey, PERSON),
    Page("POST", "/absences", people.declare, PERSON),
    Page("POST", "/absences/{name}/end", people.end_absence, PERSON),
    Page("GET", "/people", people.listing, OVERSIGHT),
    Page("GET", "/people/{name}", people.one, OVERSIGHT),
    Page("POST", "/people/{name}/invitation", people.invite, ADMINISTRATOR),
    Page("POST", "/people/{name}/leave", people.leave, ADMINISTRATOR),
    Page("POST", "/people/{name}/rejoin", people.rejoin, ADMINISTRATOR),
    Page("GET", "/targets", targets.listing, OVERSIGHT),
    Page("GET", "/targets/{name}", targets.one, OVERSIGHT),
    Page("POST", "/targets/{name}/preflight", targets.preflight, OVERSIGHT),
    Page("POST", "/targets/{name}/reconcile", targets.reconcile, OVERSIGHT),
    Page("GET", "/policy", policies.rendered, OVERSIGHT),
    Page("GET", "/policy/who-can", policies.who_can, OVERSIGHT),
    Page("GET", "/policy/changes", policies.changes, OVERSIGHT),
    Page("GET", "/policy/changes/{name}", policies.change, OVERSIGHT),
    Page("GET", "/policy/propose", policies.draft, OVERSIGHT),
    Page("POST", "/policy/propose", policies.propose, ADMINISTRATOR),
    Page("POST", "/policy/changes/{name}/approve", policies.approve, ADMINISTRATOR),
    Page("POST", "/policy/changes/{name}/withdraw", policies.withdraw, ADMINISTRATOR),
    Page("GET", "/attempts", attempts.listing, OVERSIGHT),
    Page("GET", "/exceptions", exceptions.listing, OVERSIGHT),
    Page("POST", "/findings/{name}/disposition", exceptions.dispose, OVERSIGHT),
    Page("POST", "/requests/{name}/disposition", exceptions.dispose_of_tests, OVERSIGHT),
    Page("GET", "/keeping", keeping.overview, OVERSIGHT),
    Page("POST", "/holds", keeping.place_hold, ADMINISTRATOR),
    Page("POST", "/holds/{name}/release", keeping.release_hold, ADMINISTRATOR),
    Page("POST", "/shreddings", keeping.request_shredding, ADMINISTRATOR),
    Page("POST", "/shreddings/{name}/confirm", keeping.confirm_shredding, ADMINISTRATOR),
    Page("POST", "/shreddings/{name}/withdraw", keeping.withdraw_shredding, ADMINISTRATOR),
    Page("POST", "/retention", keeping.set_retention, ADMINISTRATOR),
    Page("POST", "/retention/{name}/confirm", keeping.confirm_retention, ADMINISTRATOR),
    Page("POST", "/retention/{name}/withdraw", keeping.withdraw_retention, ADMINISTRATOR),
    Page("GET", "/reports", reports.listing, AUDITOR),
    Page("POST", "/reports", reports.ask, AUDITOR),
    Page("GET", "/report-runs/{name}", reports.run, AUDITOR),
    Page("GET", "/report-runs/{name}/file", reporting.file, AUDITOR),
    Page("GET", "/delivered-reports", reports.delivered, AUDITOR),
    Page("GET", "/delivered-reports/{name}", reporting.delivered_file, AUDITOR),
    Page("GET", "/samples", samples.listing, PERSON),
    Page("GET", "/samples/{name}", samples.one, PERSON),
    Page("POST", "/samples/{name}/questions", samples.ask, AUDITOR),
    Page("POST", "/samples/{name}/answers", samples.answer, PERSON),
    Page("GET", "/samples/{name}/packs", sampling.packs, AUDITOR),
    Page("GET", "/sessions", sessions.listing, PERSON),
    Page("GET", "/sessions/{name}", sessions.one, PERSON),
    Page("GET", "/sessions/{name}/actions/{number}", sessions.action, PERSON),
    Page("GET", "/sessions/{name}/screen", sessions.screen, PERSON),
    Page("GET", "/overview", overview.overview, OVERSIGHT),
    Page("GET", "/ledger", ledger.head, PERSON),
    Page("GET", "/ledger/entries/{number}", ledger.entry, OVERSIGHT),
)
"""The table."""
