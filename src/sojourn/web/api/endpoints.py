"""Every address of the JSON API, all below /api/v1: one table that serves, documents and is tested.

Each row names who may call it. The rules themselves stand in `domain/` and `workflow/`, where every path obeys them;
a test calls each address as everybody and holds the table to what is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from sojourn.domain.people import Scope
from sojourn.web.exchange import Handler

from . import (
    access,
    account,
    asking,
    auditing,
    bodies,
    break_glass,
    certifying,
    configuration,
    confirming,
    deciding,
    facts,
    findings,
    following,
    keeping,
    opening,
    overview,
    passkeys,
    people,
    policy,
    program_tokens,
    proving,
    record,
    recording,
    reporting,
    reviewing,
    sampling,
    sign_ins,
    single_sign_on,
    spans,
    ssh,
    standing,
    stopping,
    targets,
    watching,
    workloads,
)


class Permission(StrEnum):
    """Who may call an address."""

    OPEN = "anybody"
    PERSON = "whoever is signed in, for what concerns them"
    OVERSIGHT = "administrators and auditors"
    ADMINISTRATOR = "administrators"
    AUDITOR = "auditors"


STREAM = "text/event-stream"

OPEN, PERSON, OVERSIGHT = Permission.OPEN, Permission.PERSON, Permission.OVERSIGHT
ADMINISTRATOR, AUDITOR = Permission.ADMINISTRATOR, Permission.AUDITOR


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address: method, path below /api/v1, handler, who may call it, what is sent and which queries it knows.

    `media` is what is answered where that is no JSON. A `secret` answer holds something that opens a door, and is never
    kept for a call that is repeated.
    """

    method: str
    path: str
    handler: Handler
    permission: Permission
    body: type[Struct] | None = None
    query: tuple[str, ...] = ()
    media: str = "application/zip"
    secret: bool = False

    @property
    def scope(self) -> Scope | None:
        """What a token needs that was made for a program; None where no such token will do."""
        return Scope.READ if self.method == "GET" else PROGRAMS.get(self.path)


PROGRAMS: dict[str, Scope] = {
    **dict.fromkeys(("/facts", "/facts/withdraw"), Scope.TELL),
    **dict.fromkeys(
        (
            "/requests",
            "/requests/{name}/comments",
            "/requests/{name}/revise",
            "/requests/{name}/withdraw",
            "/requests/{name}/activate",
            "/grants/{name}/extend",
            "/grants/{name}/end",
            "/targets/{name}/connection",
            "/ssh-keys",
        ),
        Scope.ASK,
    ),
}
"""The deeds that a token for a program may be used for: nothing that decides, administers or touches an account."""

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/sign-in", people.sign_in, OPEN, bodies.SignIn, secret=True),
    Endpoint("POST", "/sign-in/passkey/options", passkeys.ask, OPEN, bodies.Nothing, secret=True),
    Endpoint("POST", "/sign-in/passkey", passkeys.sign_in, OPEN, bodies.PasskeyAnswer, secret=True),
    Endpoint("POST", "/sign-in/device", single_sign_on.begin, OPEN, bodies.Nothing, secret=True),
    Endpoint("POST", "/sign-in/device/wait", single_sign_on.wait, OPEN, bodies.DeviceWaiting, secret=True),
    Endpoint("POST", "/sign-in/workload", workloads.exchange_token, OPEN, bodies.TokenExchange, secret=True),
    Endpoint("POST", "/passkeys/options", passkeys.offer, OPEN, bodies.PasskeyOffer, secret=True),
    Endpoint("POST", "/passkeys", passkeys.add, OPEN, bodies.PasskeyMade),
    Endpoint("GET", "/passkeys", passkeys.listing, PERSON),
    Endpoint("POST", "/passkeys/{name}/remove", passkeys.remove, PERSON, bodies.Nothing),
    Endpoint("POST", "/password", account.change_password, PERSON, bodies.NewPassword),
    Endpoint("POST", "/second-factor/options", account.offer_second_factor, PERSON, bodies.Nothing, secret=True),
    Endpoint("POST", "/second-factor", account.begin_second_factor, PERSON, bodies.SecondFactor),
    Endpoint("POST", "/second-factor/remove", account.remove_second_factor, PERSON, bodies.Nothing),
    Endpoint("POST", "/people/{name}/recovery", account.ask_recovery, ADMINISTRATOR, bodies.Reason),
    Endpoint(
        "POST", "/people/{name}/recovery/confirm", account.confirm_recovery, ADMINISTRATOR, bodies.Nothing, secret=True
    ),
    Endpoint("GET", "/sign-ins", sign_ins.listing, PERSON),
    Endpoint("POST", "/sign-ins/{name}/end", sign_ins.end, PERSON, bodies.Nothing),
    Endpoint("POST", "/people/{name}/sign-out", sign_ins.end_all, ADMINISTRATOR, bodies.Nothing),
    Endpoint("POST", "/tokens", program_tokens.make, PERSON, bodies.ProgramToken, secret=True),
    Endpoint("POST", "/confirmations/options", confirming.offer, PERSON, bodies.ConfirmationAsk, secret=True),
    Endpoint("POST", "/sign-out", people.sign_out, PERSON, bodies.Nothing),
    Endpoint("POST", "/enrol", people.enrol, OPEN, bodies.Enrol),
    Endpoint("GET", "/me", people.me, PERSON),
    Endpoint("GET", "/people", people.listing, OVERSIGHT),
    Endpoint("POST", "/people/{name}/invitation", people.invite, ADMINISTRATOR, bodies.Nothing, secret=True),
    Endpoint("POST", "/people/{name}/leave", standing.leave, ADMINISTRATOR, bodies.Reason),
    Endpoint("POST", "/people/{name}/rejoin", standing.rejoin, ADMINISTRATOR, bodies.Reason),
    Endpoint("GET", "/people/{name}/look-back", standing.looked_back, OVERSIGHT),
    Endpoint("POST", "/absences", standing.declare, PERSON, bodies.Absence),
    Endpoint("GET", "/absences", standing.listing, PERSON),
    Endpoint("POST", "/absences/{name}/end", standing.end, PERSON, bodies.Nothing),
    Endpoint("GET", "/configuration", configuration.in_force, OVERSIGHT, query=("at",)),
    Endpoint("GET", "/configuration/files", configuration.files, OVERSIGHT, query=("at",)),
    Endpoint("POST", "/configuration/changes", configuration.propose, ADMINISTRATOR, bodies.ConfigurationChange),
    Endpoint("GET", "/configuration/changes", configuration.listing, OVERSIGHT, query=("before",)),
    Endpoint("GET", "/configuration/changes/{name}", configuration.one, OVERSIGHT),
    Endpoint("POST", "/configuration/changes/{name}/approve", configuration.approve, ADMINISTRATOR, bodies.Decision),
    Endpoint("POST", "/configuration/changes/{name}/withdraw", configuration.withdraw, ADMINISTRATOR, bodies.Nothing),
    Endpoint("POST", "/facts", facts.tell, PERSON, bodies.FactGiven),
    Endpoint("POST", "/facts/withdraw", facts.withdraw, PERSON, bodies.FactTaken),
    Endpoint(
        "GET",
        "/facts",
        facts.listing,
        OVERSIGHT,
        query=(
            "fact",
            "before",
        ),
    ),
    Endpoint("GET", "/policy", policy.rendered, OVERSIGHT),
    Endpoint("GET", "/policy/who-can", policy.reach, OVERSIGHT, query=("target", "role", "person")),
    Endpoint("GET", "/inventory", targets.inventory, OVERSIGHT),
    Endpoint("GET", "/targets", asking.targets, PERSON),
    Endpoint("POST", "/targets/{name}/connection", access.connect, PERSON, bodies.ConnectionAsk, secret=True),
    Endpoint("GET", "/targets/{name}/ssh-setup", ssh.setup, ADMINISTRATOR),
    Endpoint("POST", "/ssh-keys", ssh.key, PERSON, bodies.SshKey),
    Endpoint("POST", "/ssh-keys/{name}/revoke", ssh.forget, PERSON, bodies.Nothing),
    Endpoint("POST", "/targets/{name}/preflight", targets.preflight, OVERSIGHT, bodies.Nothing),
    Endpoint("POST", "/targets/{name}/reconcile", targets.reconcile, OVERSIGHT, bodies.Nothing),
    Endpoint("GET", "/targets/{name}/looks", targets.listing, OVERSIGHT, query=("before",)),
    Endpoint("POST", "/requests", asking.submit, PERSON, bodies.Ask),
    Endpoint(
        "GET",
        "/requests",
        asking.listing,
        PERSON,
        query=(
            "mine",
            "status",
            "waiting",
            "before",
        ),
    ),
    Endpoint("GET", "/requests/{name}", asking.one, PERSON),
    Endpoint("POST", "/requests/{name}/approve", deciding.approve, PERSON, bodies.Decision),
    Endpoint("POST", "/requests/{name}/approve-less", deciding.approve_less, PERSON, bodies.LessDecision),
    Endpoint("POST", "/requests/{name}/deny", deciding.deny, PERSON, bodies.Decision),
    Endpoint("POST", "/requests/{name}/comments", deciding.comment, PERSON, bodies.Said),
    Endpoint("POST", "/requests/{name}/revise", asking.revise, PERSON, bodies.Ask),
    Endpoint("POST", "/requests/{name}/withdraw", asking.withdraw, PERSON, bodies.Nothing),
    Endpoint("POST", "/requests/{name}/withdraw-approval", deciding.withdraw_approval, PERSON, bodies.Nothing),
    Endpoint("POST", "/requests/{name}/activate", access.activate, PERSON, bodies.Nothing),
    Endpoint("GET", "/requests/{name}/evidence", auditing.evidence_of_request, PERSON),
    Endpoint("POST", "/requests/{name}/disposition", auditing.dispose, OVERSIGHT, bodies.Dispose),
    Endpoint("GET", "/findings", findings.listing, OVERSIGHT, query=("target", "all", "before")),
    Endpoint("POST", "/findings/{name}/disposition", findings.dispose, OVERSIGHT, bodies.DisposeOfFinding),
    Endpoint("GET", "/break-glass", break_glass.offered, PERSON),
    Endpoint("POST", "/break-glass", break_glass.take, PERSON, bodies.Glass),
    Endpoint(
        "GET",
        "/grants",
        access.listing,
        PERSON,
        query=(
            "mine",
            "status",
            "target",
            "before",
        ),
    ),
    Endpoint(
        "GET",
        "/spans",
        spans.listing,
        PERSON,
        query=(
            "mine",
            "target",
            "before",
        ),
    ),
    Endpoint("GET", "/grants/{name}", access.one, PERSON),
    Endpoint("POST", "/grants/{name}/extend", asking.extend, PERSON, bodies.MoreTime),
    Endpoint("POST", "/grants/{name}/revoke", access.revoke, PERSON, bodies.Nothing),
    Endpoint("POST", "/grants/{name}/end", access.end, PERSON, bodies.Nothing),
    Endpoint("GET", "/grants/{name}/evidence", auditing.evidence, PERSON),
    Endpoint("GET", "/reports", reporting.listing, AUDITOR),
    Endpoint("POST", "/reports", reporting.ask, AUDITOR, bodies.AskReport),
    Endpoint("GET", "/report-runs/{name}", reporting.one, AUDITOR),
    Endpoint("GET", "/report-runs/{name}/file", reporting.file, AUDITOR),
    Endpoint("GET", "/delivered-reports", reporting.delivered, AUDITOR, query=("before",)),
    Endpoint("GET", "/delivered-reports/{name}", reporting.delivered_file, AUDITOR),
    Endpoint("GET", "/samples", sampling.listing, PERSON, query=("before",)),
    Endpoint("GET", "/samples/{name}", sampling.one, PERSON),
    Endpoint("POST", "/samples/{name}/questions", sampling.ask, AUDITOR, bodies.AskInformation),
    Endpoint("POST", "/samples/{name}/answers", sampling.answer, PERSON, bodies.GiveInformation),
    Endpoint("GET", "/samples/{name}/packs", sampling.packs, AUDITOR),
    Endpoint("GET", "/evidence-given/{name}", sampling.given, PERSON),
    Endpoint(
        "GET",
        "/reviews",
        reviewing.listing,
        PERSON,
        query=(
            "all",
            "mine",
            "by",
            "before",
        ),
    ),
    Endpoint("GET", "/reviews/{name}", reviewing.one, PERSON),
    Endpoint("POST", "/reviews/{name}/notes", reviewing.note, PERSON, bodies.Said),
    Endpoint("POST", "/reviews/{name}/conclude", reviewing.conclude, PERSON, bodies.Conclusion),
    Endpoint("POST", "/campaigns", certifying.begin, ADMINISTRATOR, bodies.Campaign),
    Endpoint("GET", "/campaigns", certifying.listing, PERSON, query=("before",)),
    Endpoint("GET", "/campaigns/{name}", certifying.one, PERSON, query=("after",)),
    Endpoint("POST", "/campaigns/{name}/decisions", certifying.decide, PERSON, bodies.ItemDecision),
    Endpoint("POST", "/campaigns/{name}/close", certifying.close, ADMINISTRATOR, bodies.Nothing),
    Endpoint(
        "GET",
        "/sessions",
        record.sessions,
        PERSON,
        query=(
            "grant",
            "mine",
            "open",
            "before",
        ),
    ),
    Endpoint("GET", "/sessions/{name}", record.session, PERSON),
    Endpoint(
        "GET",
        "/sessions/{name}/actions",
        record.actions,
        PERSON,
        query=("after", "verb", "writes", "outcome", "search"),
    ),
    Endpoint("GET", "/sessions/{name}/actions/{number}", opening.statement, PERSON),
    Endpoint("GET", "/sessions/{name}/recording", recording.read, PERSON, query=("action", "after")),
    Endpoint(
        "GET",
        "/sessions/{name}/replay",
        recording.replay,
        PERSON,
        query=("action",),
        media="application/x-ndjson",
    ),
    Endpoint(
        "GET",
        "/sessions/{name}/events",
        watching.events,
        PERSON,
        query=("after", "recording"),
        media=STREAM,
    ),
    Endpoint("POST", "/sessions/{name}/stop", stopping.session, PERSON, bodies.Nothing),
    Endpoint(
        "GET",
        "/attempts",
        record.attempts,
        OVERSIGHT,
        query=(
            "actor",
            "subject",
            "before",
        ),
    ),
    Endpoint("POST", "/holds", keeping.place_hold, ADMINISTRATOR, bodies.Hold),
    Endpoint(
        "GET",
        "/holds",
        keeping.holds,
        OVERSIGHT,
        query=(
            "all",
            "after",
        ),
    ),
    Endpoint("POST", "/holds/{name}/release", keeping.release_hold, ADMINISTRATOR, bodies.Confirmable),
    Endpoint("POST", "/shreddings", keeping.request_shredding, ADMINISTRATOR, bodies.Shredding),
    Endpoint("GET", "/shreddings", keeping.shreddings, OVERSIGHT, query=("after",)),
    Endpoint("POST", "/shreddings/{name}/confirm", keeping.confirm_shredding, ADMINISTRATOR, bodies.Nothing),
    Endpoint("POST", "/shreddings/{name}/withdraw", keeping.withdraw_shredding, ADMINISTRATOR, bodies.Nothing),
    Endpoint("GET", "/retention", keeping.retention, OVERSIGHT),
    Endpoint("POST", "/retention", keeping.set_retention, ADMINISTRATOR, bodies.KeepFor),
    Endpoint("POST", "/retention/{name}/confirm", keeping.confirm_retention, ADMINISTRATOR, bodies.Days),
    Endpoint("POST", "/retention/{name}/withdraw", keeping.withdraw_retention, ADMINISTRATOR, bodies.Nothing),
    Endpoint("POST", "/disposals", keeping.dispose, ADMINISTRATOR, bodies.Nothing),
    Endpoint("GET", "/disposals/{name}/certificate", keeping.certificate, OVERSIGHT),
    Endpoint("GET", "/overview", overview.overview, OVERSIGHT),
    Endpoint("GET", "/ledger", record.ledger, PERSON),
    Endpoint("GET", "/ledger/consistency", proving.consistency, PERSON, query=("old",)),
    Endpoint("GET", "/ledger/events", following.entries, OVERSIGHT, query=("first",), media=STREAM),
    Endpoint("GET", "/ledger/entries/{number}", proving.entry, OVERSIGHT),
    Endpoint("GET", "/ledger/entries/{number}/proof", proving.proof_file, OVERSIGHT, media="text/plain"),
    Endpoint("GET", "/health", record.health, OPEN),
)
"""The table."""
