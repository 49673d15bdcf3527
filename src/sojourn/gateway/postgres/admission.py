"""Who is let in, under what, and where to: from a start-up packet to one grant and one database.

- Whoever has not authenticated learns nothing about targets, grants or requests.
- `dbname` names the target, `TARGET/DATABASE` another database of it that the configuration opens.
- `user` names the person, `person+role` which of several accesses is meant.
- Who they are is shown by a token, or by a certificate that names the same person. Neither gives an access.
- Who comes while an access is still pending may wait for it, and is told for what.
- Only a role that says so speaks the replication protocol.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import partial

from sojourn.domain.account import Token, check_token
from sojourn.domain.credential import ScramVerifier
from sojourn.domain.events import TokenPurpose
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import GrantId, PersonId, RoleName, TargetName, grant_stream
from sojourn.domain.session import admit
from sojourn.domain.target import Target, TargetKind
from sojourn.errors import Code, Refusal
from sojourn.gateway.gate import Gate
from sojourn.gateway.pending import WaitingRoom, what_is_pending
from sojourn.gateway.tls import ClientCertificate
from sojourn.settings import ClientName

from . import backend
from .handshake import (
    INVALID_AUTHORIZATION,
    REPLICATION,
    Authenticator,
    Opening,
    RefusedError,
    asks_to_replicate,
    check_parameters,
    decode_token_verifier,
)
from .startup import StartupMessage
from .wire import WireError

UNDEFINED_DATABASE = "3D000"
TOO_MANY_CONNECTIONS = "53300"
NEWEST_MINOR = 2
"""The newest protocol spoken here is 3.2: as 3.0, with cancel keys of up to 256 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who has authenticated, by what, and what they ask for. `parameters` go on to the target."""

    person: PersonId
    proof: Token | ClientCertificate
    target: Target
    database: str
    role: RoleName | None
    minor: int
    parameters: dict[str, str]
    application: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Who was let in, and under what. `greeted` says that the client has been told so already."""

    known: Known
    grant: Grant
    greeted: bool = False


@dataclass(slots=True)
class Admission:
    """Decides for one gate who is let in."""

    gate: Gate
    authenticator: Authenticator
    _room: WaitingRoom = field(init=False)

    def __post_init__(self) -> None:
        """Wait as long as the settings say."""
        self._room = WaitingRoom(self.gate.settings.wait_seconds)

    async def authenticate(self, opening: Opening) -> Known:
        """Find out who it is, and read what they ask for. Raises RefusedError, WireError."""
        line, packet = opening.line, opening.packet
        assert isinstance(packet, StartupMessage)
        minor = min(packet.minor, NEWEST_MINOR)
        if packet.minor > NEWEST_MINOR or packet.options:
            line.send(backend.negotiate_protocol_version(minor, sorted(packet.options)))
        name, _, role = packet.parameters.get("user", "").partition("+")
        if not name:
            raise WireError("no user name in the start-up packet", INVALID_AUTHORIZATION)
        person = PersonId(name)
        proof: Token | ClientCertificate
        if opening.certificate is not None and await self._is_of(opening.certificate, person):
            proof = opening.certificate
        else:
            proof = await self.authenticator.authenticate(
                line, name, partial(self._verifiers, person), binding=opening.binding
            )
        if len(self.gate.connections) > self.gate.settings.connections_max:
            limit = str(self.gate.settings.connections_max)
            raise RefusedError(Refusal(Code.GATEWAY_BUSY, {"limit": limit}), TOO_MANY_CONNECTIONS, actor=person)
        parameters = check_parameters(packet)
        wanted_role = RoleName(role) if role else None
        replicating = self._replicated(person, wanted_role) if asks_to_replicate(parameters) else None
        target, database = self._place(packet.parameters.get("database") or name, person, replicating)
        return Known(
            person=person,
            proof=proof,
            target=target,
            database=database,
            role=wanted_role,
            minor=minor,
            parameters=parameters,
            application=packet.parameters.get("application_name", "")[:200],
        )

    async def _is_of(self, certificate: ClientCertificate, person: PersonId) -> bool:
        """Whether the certificate is this person's, by the one name that the settings go by."""
        live = self.gate.live
        await live.ready.wait()
        known = live.person(person)
        if known is None:
            return False
        match self.gate.settings.client_name:
            case ClientName.ID:
                return certificate.name == person
            case ClientName.MAIL:
                mail = known.mail.casefold()
                return bool(mail) and mail in (one.casefold() for one in certificate.mails)

    async def _verifiers(self, person: PersonId, *, newest: bool) -> dict[ScramVerifier, Token]:
        """What a log-in of that name is checked against; the `newest` only after the record has been caught up with."""
        live = self.gate.live
        await live.ready.wait()
        if newest:
            await live.catch_up()
        known: dict[ScramVerifier, Token] = {}
        for token in live.tokens(person, self.gate.clock.now()):
            if token.issued.scram is not None:
                known[decode_token_verifier(await live.open(token.issued.scram))] = token
        if not known:
            # As much work as for somebody who is known, so that time tells a stranger nothing either.
            await self.gate.ledger.matter([hashlib.sha256(person.encode()).hexdigest()])
        return known

    def _replicated(self, person: PersonId, role: RoleName | None) -> Target | None:
        """The one target that the person may replicate now; None for none or several.

        PostgreSQL's own programs say `replication` in place of a database, and so cannot say which target is meant.
        """
        live, now = self.gate.live, self.gate.clock.now()
        found: dict[TargetName, Target] = {}
        for grant in live.grants(person):
            target, given = live.target(grant.created.target), grant.created.role
            if target is not None and grant.opens(now) and role in (None, given) and _replicates(target, given):
                found[target.name] = target
        return next(iter(found.values())) if len(found) == 1 else None

    def _place(self, wanted: str, person: PersonId, replicated: Target | None = None) -> tuple[Target, str]:
        """The target and database that a `dbname` stands for; `replicated` where it names none. Raises RefusedError."""
        name, _, database = wanted.partition("/")
        target = self.gate.live.target(TargetName(name))
        if target is None and wanted == REPLICATION:
            target = replicated
        if target is None or target.kind is not TargetKind.POSTGRES:
            raise RefusedError(Refusal(Code.TARGET_UNKNOWN, {"target": name}), UNDEFINED_DATABASE, actor=person)
        if database and not target.opens_database(database):
            refusal = Refusal(Code.TARGET_DATABASE_UNKNOWN, {"target": name, "database": database})
            raise RefusedError(refusal, UNDEFINED_DATABASE, actor=person)
        return target, database or target.database

    def verdict(self, known: Known) -> Grant | Refusal:
        """The grant under which the person may connect now, or why there is none. Raises RefusedError."""
        now, live = self.gate.clock.now(), self.gate.live
        assert live.catalogue is not None, "the view is ready and knows a target"
        owner: PersonId | Refusal = known.person
        if isinstance(known.proof, Token):
            owner = check_token(known.proof, purpose=TokenPurpose.GATEWAY, catalogue=live.catalogue, now=now)
        elif live.person(known.person) is None:
            owner = Refusal(Code.CREDENTIALS_INVALID)
        if isinstance(owner, Refusal):
            raise RefusedError(owner, INVALID_AUTHORIZATION, actor=known.person)
        grants, target = live.grants(known.person), known.target.name
        found = admit(grants, person=known.person, target=target, role=known.role, now=now)
        if isinstance(found, Refusal) or not asks_to_replicate(known.parameters):
            return found
        given = found.created.role
        if _replicates(known.target, given):
            return found
        return Refusal(Code.GATEWAY_REPLICATION_REFUSED, {"grant": found.id, "target": target, "role": given})

    def judge(self, known: Known) -> Admitted:
        """As `verdict`, and a refusal is raised as RefusedError."""
        found = self.verdict(known)
        if isinstance(found, Refusal):
            subject = grant_stream(GrantId(found.details["grant"])) if "grant" in found.details else ""
            raise RefusedError(found, INVALID_AUTHORIZATION, actor=known.person, subject=subject)
        return Admitted(known=known, grant=found)

    async def admit(self, known: Known, opening: Opening) -> Admitted:
        """Let the person in, at once or when what is pending has come about. Raises RefusedError."""
        found = self.verdict(known)
        pending = ""
        if isinstance(found, Refusal):
            await self.gate.live.catch_up()
            found = self.verdict(known)
        if isinstance(found, Refusal):
            pending = what_is_pending(
                self.gate.live,
                known.person,
                known.target.name,
                known.role,
                found,
                link=self.gate.settings.link,
            )
        if not pending or not self._room.admits(known.person):
            return self.judge(known)
        hint = f"The connection waits up to {self._room.seconds} s for it."
        opening.line.send(backend.authentication_ok() + backend.notice_response("00000", pending, hint=hint))
        await self._room.wait(known.person, lambda: self.verdict(known), lambda: opening.line.closed)
        return replace(self.judge(known), greeted=True)


def _replicates(target: Target, name: RoleName) -> bool:
    role = target.role(name)
    return role is not None and role.replication
