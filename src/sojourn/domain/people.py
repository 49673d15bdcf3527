"""People, and the teams they are in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .identifiers import PersonId, TargetName, TeamName


class PersonKind(StrEnum):
    """What stands behind an account: a human being, a program of ours, or an AI agent."""

    HUMAN = "human"
    SERVICE = "service"
    AGENT = "agent"


class FactKind(StrEnum):
    """What somebody may be entitled to tell about the world."""

    ON_CALL = "on_call"
    DEPLOYMENT = "deployment"
    INCIDENT = "incident"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What an auditor of another house was let in for: until a moment, and for `targets` (empty for all)."""

    until: datetime
    targets: tuple[TargetName, ...] = ()


class Scope(StrEnum):
    """What a token may be used for that was made for a program."""

    READ = "read"
    ASK = "ask"
    TELL = "tell"
    PROVISION = "provision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A program somewhere else that acts as a service: whoever has an ID token that says all of this.

    `issuer` signed it, for `audience` and nobody besides, about one of `subjects`; each of `claims` reads exactly so.
    What it gets in exchange is good for `scope`.
    """

    issuer: str
    audience: str
    subjects: tuple[str, ...]
    scope: tuple[Scope, ...]
    claims: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can ask, decide or look. Identity is `id`, never the mail address.

    `administrator` may invite people and revoke any grant; `auditor` may read everything and change nothing.
    `manager` is the id of the person they report to. A service or an agent has an `owner`, who is human and answers
    for it; only humans decide. It may act in `workloads`, which need no secret of ours. `attributes` are what the
    policy may ask about a person, each name once. `tells` are the kinds of facts that they may put on record. Somebody
    with a `mandate` audits from outside: they take evidence of what it covers, until it ends, and nothing else; two
    administrators let them in, never one. `zone` is the name of the time zone in which mails also tell them when
    something is; "" for UTC alone.
    """

    id: PersonId
    name: str
    mail: str = ""
    administrator: bool = False
    auditor: bool = False
    kind: PersonKind = PersonKind.HUMAN
    manager: PersonId | None = None
    owner: PersonId | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    tells: tuple[FactKind, ...] = ()
    mandate: Mandate | None = None
    zone: str = ""
    workloads: tuple[Workload, ...] = ()

    def may_audit(self, now: datetime, target: str | None = None) -> bool:
        """Whether they may take evidence at a moment: of anything at all, or of what was done on that target."""
        if self.auditor:
            return True
        mandate = self.mandate
        if mandate is None or now >= mandate.until:
            return False
        return target is None or not mandate.targets or target in mandate.targets

    @property
    def confined(self) -> bool:
        """Whether they audit from outside, and some targets alone: what concerns others is not shown to them."""
        inside = self.auditor or self.administrator
        return not inside and self.mandate is not None and bool(self.mandate.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A named set of people. Decisions count people, so being in two teams counts once.

    Besides its `members`, whoever a provider says to be in one of its `groups` is in it.
    """

    name: TeamName
    members: tuple[PersonId, ...]
    groups: tuple[str, ...] = ()
