"""An ID token of a program somewhere else for a short-lived token of the service that it acts as.

- The configuration says which issuer, audience, subject and claims let somebody in as which service, and for what; it
  takes two people to change that. What a token says about itself decides nothing else.
- A token made for several audiences is refused: whoever else it was made for could bring it here.
- A token that lives longer than a day is refused: it is a password by another name.
- The service stays what it is: its token asks, and the policy decides. Nobody's token outlives the word that let it in.
- Every refusal is on record. Why is told to whoever has a token that the issuer signed, and to nobody else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sojourn.domain.identifiers import PersonId, account_stream
from sojourn.domain.people import Scope, Workload
from sojourn.errors import Code, Refusal
from sojourn.workflow.deciding import Attempt, refuse, shown
from sojourn.workflow.ports import Office

from .issuer import Issuer, ProviderError
from .limits import AttemptLimit

LIFE_MAX = timedelta(days=1)
UNFIT = "no workload of that name is let in with it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A workload that has shown its ID token: the service that it acts as, for what, and who its issuer says it is."""

    person: PersonId
    scope: tuple[Scope, ...]
    issuer: str
    subject: str


@dataclass(slots=True, kw_only=True)
class Issuers:
    """The issuers that the configuration in force names, each with what it has said lately."""

    now: Callable[[], datetime]
    _held: dict[str, Issuer] = field(default_factory=dict)

    def of(self, workload: Workload, named: set[str]) -> Issuer:
        """The issuer of a workload. Those that are not `named` any more are forgotten."""
        self._held = {address: one for address, one in self._held.items() if address in named}
        return self._held.setdefault(workload.issuer, Issuer(address=workload.issuer, now=self.now))


async def admit(
    office: Office,
    issuers: Issuers,
    *,
    person: PersonId,
    token: str,
    scope: tuple[Scope, ...],
    source: str,
    limit: AttemptLimit,
) -> Admitted | Refusal:
    """Who may have a token of the service `person`, for `scope` (all that it may have, if none is named).

    Gives why not as a refusal, on record. Raises ProviderError where the issuer cannot be used, and SojournError from
    the ledger.
    """
    attempt = Attempt(verb="exchange", actor=shown(person), source=source, stranger=True)
    stream, address = account_stream(person), source.rsplit(":", 1)[0]
    limited = limit.take(address, person)
    if limited is not None:
        return await refuse(office, attempt, "account", limited)
    adopted = office.in_force()
    known = adopted.catalogue.person(person)
    if known is None or not (fitting := [one for one in known.workloads if one.issuer == _issuer_of(token)]):
        return await refuse(office, attempt, "account", _refusal(person, UNFIT))
    if known.owner in adopted.standing.left:
        return await refuse(
            office, attempt, stream, Refusal(Code.OWNER_LEFT, {"person": person, "owner": str(known.owner)})
        )
    named = {one.issuer for other in adopted.catalogue.people for one in other.workloads}
    issuer = issuers.of(fitting[0], named)
    try:
        said = await issuer.signed(token)
    except ProviderError as error:
        if not error.refused:
            raise
        return await refuse(office, attempt, stream, _refusal(person, UNFIT))
    problem = UNFIT
    for workload in fitting:
        problem = _unlike(issuer, said, workload)
        if not problem and not set(scope) <= set(workload.scope):
            problem = f"it is let in for {', '.join(workload.scope)} alone"
        if not problem:
            limit.succeeded(address, person)
            wanted = tuple(sorted(set(scope))) or workload.scope
            return Admitted(person=person, scope=wanted, issuer=workload.issuer, subject=said["sub"])
    return await refuse(office, attempt, stream, _refusal(person, problem))


def _unlike(issuer: Issuer, said: dict[str, Any], workload: Workload) -> str:
    """In what a token of the issuer is not what the workload has to show; "" if it is."""
    try:
        claims = issuer.checked(said, workload.audience)
    except ProviderError as error:
        return error.problem
    if claims["aud"] not in (workload.audience, [workload.audience]):
        return "it was made for others besides"
    try:
        lives = timedelta(seconds=float(claims["exp"]) - float(claims["iat"]))
    except (OverflowError, ValueError):
        return "its times cannot be read"
    if lives > LIFE_MAX:
        return f"it is good for longer than {LIFE_MAX // timedelta(hours=1)} hours"
    if claims["sub"] not in workload.subjects:
        return f"its subject is {shown(claims['sub'])}"
    for name, wanted in workload.claims:
        if _text(claims.get(name)) != wanted:
            return f"its claim {name} is {shown(_text(claims.get(name)) or 'not a text')}"
    return ""


def _text(claim: object) -> str | None:
    """A claim as the configuration writes it: text as it is, a truth as `true` or `false`, a whole number in digits."""
    match claim:
        case str():
            return claim
        case bool() | int():
            return json.dumps(claim)
        case _:
            return None


def _issuer_of(token: str) -> str:
    """Who issued the token by its own word, which chooses whose keys it is verified with and proves nothing."""
    try:
        payload = token.split(".")[1]
        said: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError, RecursionError):
        return ""
    issuer = said.get("iss") if isinstance(said, dict) else None
    return issuer if isinstance(issuer, str) else ""


def _refusal(person: PersonId, problem: str) -> Refusal:
    return Refusal(Code.WORKLOAD_REFUSED, {"person": shown(person), "problem": problem})
