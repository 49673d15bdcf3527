"""Findings: what the record and a target did not both know, times when nobody could look, and what becomes of them.

- A finding begins with the look that first tells of it, and is the same one as long as looks tell of it.
- A time in which a target could not be looked at is a finding, too: nobody knows what went on there.
- A finding stays an exception until somebody says on record what becomes of it, and who sees to what has to follow.
- Whoever says so is an auditor or an administrator, and neither holds nor decided on the access that it is about.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime

from sojourn.errors import Code, Refusal

from .catalogue import Adopted
from .events import Disposition, Finding, FindingDisposed
from .exception import may_dispose
from .identifiers import FindingId, PersonId, TargetName
from .sealed import Sealed

UNOBSERVED = "target_unobserved"
"""The kind of a finding that is a time when nobody could look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """A finding that is on record. `involved` are the people of the access that it is about, if one is known."""

    finding: FindingId
    target: TargetName
    involved: frozenset[PersonId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposeOfFinding:
    """Say what becomes of a finding."""

    person: PersonId
    disposition: Disposition
    owner: PersonId
    ticket: str
    remark: Sealed
    source: str


def finding_id(target: TargetName, finding: Finding) -> FindingId:
    """The id of a difference: 80 bits of SHA-256 over target, kind, subject, detail and since, a line feed between."""
    return _id(target, finding.kind, finding.subject, finding.detail, finding.since)


def gap_id(target: TargetName, problem: str, since: datetime) -> FindingId:
    """The id of a time, from `since` on, in which the target could not be looked at."""
    return _id(target, UNOBSERVED, target, problem, since)


def _id(*parts: str | datetime) -> FindingId:
    told = "\n".join(one.isoformat() if isinstance(one, datetime) else one for one in parts)
    digest = hashlib.sha256(told.encode("utf-8", "backslashreplace")).digest()[:10]
    return FindingId("f-" + base64.b32encode(digest).decode().lower())


def dispose_of_finding(state: Unmatched, command: DisposeOfFinding, adopted: Adopted) -> FindingDisposed | Refusal:
    """The event, or why there is none."""
    if not may_dispose(adopted, command.person, state.involved):
        return Refusal(
            Code.PERMISSION_DENIED,
            {
                "person": command.person,
                "action": "dispose of this finding",
                "who": "an auditor or an administrator who had no part in the access that it is about",
            },
        )
    if adopted.catalogue.person(command.owner) is None:
        return Refusal(Code.PERSON_UNKNOWN, {"person": command.owner})
    return FindingDisposed(
        finding=state.finding,
        target=state.target,
        disposition=command.disposition,
        owner=command.owner,
        ticket=command.ticket,
        remark=command.remark,
        person=command.person,
        source=command.source,
    )
