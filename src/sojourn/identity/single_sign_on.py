"""Signing in with what an OpenID provider says: who the person is here, and which teams its groups put them in.

- The provider says who somebody is; the configuration says who is known, and which teams are filled from which groups.
  It takes two people to change either. No claim makes an administrator or an auditor.
- The identity that first comes under a name keeps it. One that takes the name on later is refused.
- What was said about groups is on record, as of the sign-in, and counts until the provider says otherwise.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from sojourn.domain import standing as standings
from sojourn.domain.account import LinkIdentity
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import IdentityLinked
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, account_stream, identity_stream
from sojourn.domain.people import PersonKind
from sojourn.domain.standing import ClaimGroups, Standing
from sojourn.errors import Code, Refusal
from sojourn.settings import OidcSettings
from sojourn.workflow.deciding import TRIES_MAX, Attempt, Decided, append_unless_stale, refuse, shown
from sojourn.workflow.ports import Office
from sojourn.workflow.standing import on_standing

from .accounts import decide_on
from .challenges import Challenges
from .issuer import Claims

ORIGIN = "oidc"
PURPOSE = "single_sign_on"
GROUPS_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to the provider and back. `ticket` stays in a cookie of the browser; the rest is made from it."""

    ticket: str
    state: str
    nonce: str
    verifier: str


def begin(challenges: Challenges, onward: str) -> Way:
    """A way that leads `onward` afterwards."""
    issued = challenges.issue(PURPOSE, onward)
    return _way(issued.ticket, issued.challenge)


def resume(challenges: Challenges, ticket: str, onward: str, state: str) -> Way | None:
    """The way that a browser comes back on; None for any other than it was sent on.

    That it leads to one sign-in at most is the provider's to see to, whose code opens once (RFC 6749, 4.1.2).
    """
    challenge = challenges.read(ticket, PURPOSE, onward)
    way = None if challenge is None else _way(ticket, challenge)
    return (
        way if way is not None and hmac.compare_digest(way.state.encode(), state.encode("utf-8", "replace")) else None
    )


async def sign_in(office: Office, settings: OidcSettings, claims: Claims, *, source: str) -> PersonId | Refusal:
    """Who the provider says this is, as a person of ours; their groups are on record then. Or why not (on record).

    `claims` were verified. Raises SojournError from the ledger.
    """
    named = claims.get(settings.person_claim)
    name = named if isinstance(named, str) else ""
    attempt = Attempt(verb="sign_in", actor=shown(name), source=source, stranger=True)
    known = office.in_force().catalogue.person(PersonId(name))
    unproven = settings.person_claim == "email" and claims.get("email_verified") is not True
    if known is None or known.kind is not PersonKind.HUMAN or unproven:
        details = {"provider": settings.name, "name": shown(name) or "nothing", "claim": settings.person_claim}
        return await refuse(office, attempt, "account", Refusal(Code.IDENTITY_UNKNOWN, details))
    refusal = await _link(office, attempt, known.id, settings.issuer, str(claims["sub"]))
    if refusal is not None:
        return refusal
    given = claims.get(settings.groups_claim)
    groups = [one for one in given[:GROUPS_MAX] if isinstance(one, str)] if isinstance(given, list) else []
    settled = await claim_groups(office, attempt, known.id, ORIGIN, groups)
    return settled if isinstance(settled, Refusal) else known.id


async def claim_groups(
    office: Office, attempt: Attempt, person: PersonId, origin: str, groups: list[str]
) -> Standing | Refusal:
    """Put on record which of these groups that teams are filled from the person is in, if that is news."""

    def decide(state: Standing, adopted: Adopted, now: object) -> Decided | Refusal:
        filling = {group for team in adopted.catalogue.teams for group in team.groups}
        claimed = tuple(group for group in groups if group in filling)
        command = ClaimGroups(person=person, origin=origin, groups=claimed, source=shown(attempt.source))
        decided = standings.decide(state, command, adopted.catalogue.people, office.clock.now())
        return decided if isinstance(decided, Refusal) else Decided(events=decided)

    return await on_standing(office, attempt, account_stream(person), decide)


async def _link(office: Office, attempt: Attempt, person: PersonId, issuer: str, subject: str) -> Refusal | None:
    """Put on record that this identity is this person, in the streams of both, or refuse it (on record)."""
    digest = hashlib.sha256(f"{issuer}\x00{subject}".encode("utf-8", "backslashreplace")).hexdigest()
    stream = identity_stream(digest)
    for tried in range(TRIES_MAX):
        links = await office.ledger.stream(stream)
        events = [one.event for one in links if isinstance(one.event, IdentityLinked)]
        command = LinkIdentity(
            person=person,
            issuer=issuer,
            subject_sha256=digest,
            known_as=events[-1].person if events else None,
            source=attempt.source,
        )
        decided, version = await decide_on(office, person, command)
        if isinstance(decided, Refusal):
            return await refuse(office, attempt, account_stream(person), decided)
        changes = [Change(stream=account_stream(person), event=one, seen=version) for one in decided]
        changes += [Change(stream=stream, event=one, seen=len(links)) for one in decided]
        if not changes or await append_unless_stale(office, tried, changes, (), None):
            return None
    return Refusal(Code.RECORD_STALE, {"stream": stream})


def _way(ticket: str, challenge: bytes) -> Way:
    """State, nonce and verifier (43 letters each), none of which tells another."""
    state, nonce, verifier = (
        base64.urlsafe_b64encode(hashlib.sha256(use + challenge).digest()).decode().rstrip("=")
        for use in (b"state\x00", b"nonce\x00", b"verifier\x00")
    )
    return Way(ticket=ticket, state=state, nonce=nonce, verifier=verifier)
