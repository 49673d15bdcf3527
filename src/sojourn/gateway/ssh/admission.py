"""Who is let in, and where to: from a proved key and a user name to one grant.

- The user name names the target, `TARGET+ROLE` which of several accesses is meant. The person is who holds the key.
- Whoever has not proved who they are learns nothing about targets or grants.
"""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.domain.account import Token, check_token
from sojourn.domain.events import TokenPurpose
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import GrantId, PersonId, RoleName, TargetName, grant_stream
from sojourn.domain.session import admit
from sojourn.domain.ssh import place_line, widened
from sojourn.domain.target import Target
from sojourn.errors import Code, Refusal
from sojourn.gateway.gate import Gate
from sojourn.gateway.pending import what_is_pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who has proved who they are, and what they ask for."""

    person: PersonId
    token: Token
    target: Target
    role: RoleName | None


class TurnedAwayError(Exception):
    """Somebody is not let in. `subject` is the stream that it is about."""

    def __init__(self, refusal: Refusal, *, actor: str, subject: str = "") -> None:
        super().__init__(refusal.sentence)
        self.refusal, self.actor, self.subject = refusal, actor, subject


def know(gate: Gate, token: Token, user: str, jumped: TargetName | None = None) -> Known:
    """What the user name asks for; whoever `jumped` here has named the target already. Raises TurnedAwayError."""
    person = token.issued.person
    if len(gate.connections) > gate.settings.connections_max:
        raise TurnedAwayError(Refusal(Code.GATEWAY_BUSY, {"limit": str(gate.settings.connections_max)}), actor=person)
    name, _, role = user.partition("+")
    target = gate.live.target(jumped or TargetName(name))
    if target is None or target.ssh is None:
        raise TurnedAwayError(Refusal(Code.TARGET_UNKNOWN, {"target": name[:100]}), actor=person)
    return Known(person=person, token=token, target=target, role=RoleName(role) if role else None)


def verdict(gate: Gate, known: Known) -> Grant | Refusal:
    """The grant under which the person may connect now, or why there is none. Raises TurnedAwayError."""
    now, live = gate.clock.now(), gate.live
    assert live.catalogue is not None, "the view is ready and knows a target"
    owner = check_token(known.token, purpose=TokenPurpose.SSH, catalogue=live.catalogue, now=now)
    if isinstance(owner, Refusal):
        raise TurnedAwayError(owner, actor=known.person)
    return admit(live.grants(known.person), person=known.person, target=known.target.name, role=known.role, now=now)


def admitted(gate: Gate, known: Known) -> Grant:
    """As `verdict`, and a refusal is raised as TurnedAwayError."""
    found = verdict(gate, known)
    if isinstance(found, Refusal):
        subject = grant_stream(GrantId(found.details["grant"])) if "grant" in found.details else ""
        raise TurnedAwayError(found, actor=known.person, subject=subject)
    _check(known.target, found)
    return found


def pending(gate: Gate, known: Known) -> bool:
    """Whether what would let the person in is on its way."""
    found = verdict(gate, known)
    if not isinstance(found, Refusal):
        return False
    return bool(what_is_pending(gate.live, known.person, known.target.name, known.role, found))


def _check(target: Target, grant: Grant) -> None:
    """Refuse what its approvers have not seen: another host, or more than the role opened then.

    A certificate would open any host that trusts the authority and has such an account. Raises TurnedAwayError.
    """
    role = target.role(grant.created.role)
    details = {"target": target.name, "role": grant.created.role}
    if role is None or role.host is None:
        refusal = Refusal(Code.ROLE_UNKNOWN, {**details, "known": ", ".join(one.name for one in target.roles)})
    elif place_line(target.host, target.port) not in grant.observed or widened(role.host, grant.observed):
        refusal = Refusal(Code.HOST_CHANGED, details)
    else:
        return
    raise TurnedAwayError(refusal, actor=grant.created.person, subject=grant_stream(grant.id))
