"""What the policy is asked: who wants what, for how long, when, and what is known at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sojourn.domain.identifiers import PersonId, RoleName, TargetName


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket of another system, as that system showed it: what kind it is, and where it stands."""

    id: str
    kind: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known at a moment, besides the configuration. Whoever asks the policy has read it from the record.

    `incident` names the incident that is being worked on. `on_call` are the people who are on call now. `deployed`
    brought what runs there into production, `executing` are to carry out what is asked, and `approved_by_requester`
    are people who lately had a request of their own approved by the one who now asks. `certified` confirmed in a
    certification that the requester may have this access.

    `ticket_named` and `incident_named` are what the requester referred to; `ticket` and `incident` are there only if
    the record knows of them. `schedules` are those of which the record knows the shifts, `deployment_unknown` says that
    nobody has told who deployed, and `entries` are the places of the facts in the ledger.
    """

    reason_code: str = ""
    ticket: Ticket | None = None
    activities: tuple[str, ...] = ()
    incident: str = ""
    on_call: tuple[PersonId, ...] = ()
    deployed: tuple[PersonId, ...] = ()
    executing: tuple[PersonId, ...] = ()
    approved_by_requester: tuple[PersonId, ...] = ()
    certified: tuple[PersonId, ...] = ()
    ticket_named: str = ""
    incident_named: str = ""
    schedules: tuple[str, ...] = ()
    deployment_unknown: bool = False
    entries: tuple[int, ...] = ()


NO_FACTS = Facts()
"""Nothing is known but the configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May `person` have `role` on `target` for `duration`, from `moment` (UTC) on?

    `break_glass` asks for access without a decision beforehand; such a question is judged by other rules.
    """

    person: PersonId
    target: TargetName
    role: RoleName
    duration: timedelta
    moment: datetime
    facts: Facts = NO_FACTS
    break_glass: bool = False
