"""A change of the configuration: one person proposes it, another approves it, and then it is in force.

- Only administrators propose and approve, and nobody approves what they proposed, by whatever account.
- An approval names the digest of what was shown; it counts for nothing else.
- A proposal is made in the place of one version. Once another one is in force, it cannot be approved any more.
- A change may lock out neither its author nor every approver: its author stays an administrator, two administrators at
  least remain, and nothing stays on offer that nobody could get any more, for want of people who may approve it.
- Settings are part of it: those that the record holds (`configuration.held`) change in this way and in no other.
- As long as fewer than two administrators are in force, no second person exists, and an operator adopts files alone;
  the record says so. From the second administrator on, nobody can.
- No administrator is made an auditor by one person alone, nor is anybody from outside, however few administer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import assert_never

from sojourn.errors import Code, Refusal

from .catalogue import Adopted, Catalogue
from .confirmation import Confirmation
from .events import (
    ConfigurationAdopted,
    ConfigurationApproved,
    ConfigurationFile,
    ConfigurationProposed,
    ConfigurationWithdrawn,
    Event,
)
from .identifiers import ChangeId, PersonId, RoleName, TargetName
from .people import Mandate, Person
from .policy import Policy
from .policy.ways import who_can_do_what
from .sealed import Sealed

ADMINISTRATORS_MIN = 2


class Status(StrEnum):
    """Where a proposal stands."""

    PENDING = "pending"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Put these files in the place of the configuration in force.

    `catalogue_sha256` and `settings_sha256` are of what they were read into; the latter "" leaves the settings as they
    are.
    """

    change: ChangeId
    person: PersonId
    catalogue_sha256: str
    settings_sha256: str = ""
    files: tuple[ConfigurationFile, ...]
    reason: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Say yes to what has this digest. `catalogue` is what was proposed, read back from the record."""

    change: ChangeId
    person: PersonId
    digest: str
    source: str
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take a proposal back."""

    change: ChangeId
    person: PersonId
    source: str


Command = Propose | Approve | Withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One proposal as the record tells it."""

    proposed: ConfigurationProposed
    status: Status = Status.PENDING
    decided_by: PersonId | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Every proposal there ever was, in order. `version` is that of their stream."""

    proposals: Mapping[ChangeId, Proposal] = field(default_factory=dict)
    version: int = 0


NO_CHANGES = Changes()


def evolve(state: Changes, event: Event) -> Changes:
    """The proposals after `event`."""
    version = state.version + 1
    match event:
        case ConfigurationProposed():
            found = Proposal(proposed=event)
        case ConfigurationApproved():
            found = replace(
                state.proposals[event.change],
                status=Status.APPROVED,
                decided_by=event.person,
                version=event.version,
            )
        case ConfigurationWithdrawn():
            found = replace(state.proposals[event.change], status=Status.WITHDRAWN, decided_by=event.person)
        case _:
            return replace(state, version=version)
    return Changes(proposals={**state.proposals, found.proposed.change: found}, version=version)


def change_digest(*, base: int, catalogue_sha256: str, settings_sha256: str, files: Iterable[ConfigurationFile]) -> str:
    """SHA-256 (hex) over what is proposed and in whose place; length-prefixed, so that no two share one."""
    parts = (str(base), catalogue_sha256, settings_sha256, *(part for one in files for part in (one.name, one.sha256)))
    framed = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hashlib.sha256(b"sojourn/change/v2\x00" + framed).hexdigest()


def may_adopt_alone(in_force: Catalogue | None) -> bool:
    """Whether an operator may put files in force: there is nothing in force, or no second person to ask."""
    return in_force is None or len(_administrators(in_force)) < ADMINISTRATORS_MIN


def lets_in(in_force: Catalogue | None, proposed: Catalogue) -> str:
    """Whom a configuration lets audit that one person alone may not let; "" for nobody.

    Somebody from outside, or for longer or for more than before; and an administrator of now, who would look at what
    they have done themselves. That takes two people, also where everything else takes one.
    """
    for person in proposed.people:
        held = None if in_force is None else in_force.person(person.id)
        if person.mandate is not None and (held is None or not _covers(held.mandate, person.mandate)):
            return person.id
        if person.auditor and held is not None and held.administrator:
            return person.id
    return ""


def _covers(held: Mandate | None, asked: Mandate) -> bool:
    """Whether a mandate reaches as far as another."""
    if held is None or asked.until > held.until:
        return False
    return not held.targets or (bool(asked.targets) and set(asked.targets) <= set(held.targets))


def decide(
    state: Changes, command: Command, adopted: Adopted, proposed: Catalogue | None
) -> tuple[Event, ...] | Refusal:
    """What follows from `command`, or why nothing does. `proposed` is the catalogue that it is about, if it is known.

    An approval gives the adoption as well, which belongs into the stream of the configuration.
    """
    match command:
        case Propose():
            assert proposed is not None, "what is proposed has been read"
            return _propose(command, adopted, proposed)
        case Approve():
            return _approve(state, command, adopted, proposed)
        case Withdraw():
            return _withdraw(state, command, adopted)
        case _:
            assert_never(command)


def _propose(command: Propose, adopted: Adopted, proposed: Catalogue) -> tuple[Event, ...] | Refusal:
    refusal = _not_entitled(adopted, command.person, "propose a change of the configuration")
    if refusal is not None:
        return refusal
    if may_adopt_alone(adopted.catalogue):
        return Refusal(Code.CHANGE_NO_SECOND_PERSON, {"person": command.person})
    settings_sha256 = command.settings_sha256 or adopted.settings_sha256
    if (command.catalogue_sha256, settings_sha256) == (adopted.digest, adopted.settings_sha256):
        return Refusal(Code.CHANGE_NOTHING, {"version": str(adopted.version)})
    refusal = locks_out(adopted, proposed, command.person)
    if refusal is not None:
        return refusal
    digest = change_digest(
        base=adopted.version,
        catalogue_sha256=command.catalogue_sha256,
        settings_sha256=settings_sha256,
        files=command.files,
    )
    return (
        ConfigurationProposed(
            change=command.change,
            person=command.person,
            base=adopted.version,
            catalogue_sha256=command.catalogue_sha256,
            files=command.files,
            digest=digest,
            reason=command.reason,
            source=command.source,
            settings_sha256=settings_sha256,
        ),
    )


def _approve(
    state: Changes, command: Approve, adopted: Adopted, proposed: Catalogue | None
) -> tuple[Event, ...] | Refusal:
    refusal = _not_entitled(adopted, command.person, "approve a change of the configuration")
    if refusal is not None:
        return refusal
    found = _pending(state, command.change)
    if isinstance(found, Refusal):
        return found
    made = found.proposed
    own = adopted.policy.accounts.get(made.person, frozenset((made.person,)))
    if command.person in own:
        return Refusal(Code.CHANGE_SELF, {"person": command.person, "change": command.change})
    if command.digest != made.digest:
        return Refusal(Code.CHANGE_OTHER, {"change": command.change})
    if made.base != adopted.version:
        return Refusal(
            Code.CHANGE_OUTDATED,
            {"change": command.change, "base": str(made.base), "version": str(adopted.version)},
        )
    assert proposed is not None, "what is on record can be read"
    refusal = locks_out(adopted, proposed, made.person)
    if refusal is not None:
        return refusal
    version = adopted.version + 1
    return (
        ConfigurationApproved(
            change=command.change,
            person=command.person,
            digest=command.digest,
            version=version,
            source=command.source,
            confirmation=command.confirmation,
        ),
        ConfigurationAdopted(
            catalogue_sha256=made.catalogue_sha256,
            files=made.files,
            operator="",
            change=command.change,
            proposed_by=made.person,
            approved_by=command.person,
            # A proposal of an earlier release says nothing of settings and changes none.
            settings_sha256=made.settings_sha256 or adopted.settings_sha256,
        ),
    )


def _withdraw(state: Changes, command: Withdraw, adopted: Adopted) -> tuple[Event, ...] | Refusal:
    refusal = _not_entitled(adopted, command.person, "withdraw a change of the configuration")
    if refusal is not None:
        return refusal
    found = _pending(state, command.change)
    if isinstance(found, Refusal):
        return found
    return (ConfigurationWithdrawn(change=command.change, person=command.person, source=command.source),)


def _pending(state: Changes, change: ChangeId) -> Proposal | Refusal:
    found = state.proposals.get(change)
    if found is None:
        return Refusal(Code.CHANGE_UNKNOWN, {"change": change})
    if found.status is not Status.PENDING:
        return Refusal(Code.CHANGE_NOT_PENDING, {"change": change, "status": found.status})
    return found


def _not_entitled(adopted: Adopted, person: PersonId, action: str) -> Refusal | None:
    known = adopted.catalogue.person(person)
    if known is not None and known.administrator:
        return None
    return Refusal(Code.PERMISSION_DENIED, {"person": person, "action": action, "who": "an administrator"})


def _administrators(catalogue: Catalogue) -> list[Person]:
    return [person for person in catalogue.people if person.administrator]


def locks_out(adopted: Adopted, proposed: Catalogue, author: PersonId) -> Refusal | None:
    """The refusal for a change after which its author, or nobody at all, could administer or get anything."""
    after = proposed.without(adopted.standing.left).joined(adopted.standing.counted)
    remaining = [person.id for person in _administrators(after)]
    if author not in remaining:
        return Refusal(Code.CHANGE_LOCKS_OUT, {"problem": f"{author}, who proposes it, would be no administrator"})
    if len(remaining) < ADMINISTRATORS_MIN:
        problem = f"only {', '.join(remaining)} would be an administrator, and no change could have a second person"
        return Refusal(Code.CHANGE_LOCKS_OUT, {"problem": problem})
    problem = _nobody_left(adopted.policy, after.policy())
    return Refusal(Code.CHANGE_LOCKS_OUT, {"problem": problem}) if problem else None


def _nobody_left(before: Policy, after: Policy) -> str:
    """What nobody could get any more though it is still offered to somebody, for want of approvers; or "".

    The files alone do not show it: they may name people who have left, or groups that the directory has emptied.
    """
    left = _places(after)
    gone = _places(before) - left
    if gone and not left:
        return "nobody could get any access, or approve any"
    for target, role in sorted(gone):
        offering = [line.rule.name for line in after.offered.get((target, role), ()) if line.who]
        if offering:
            return f"too few of those who approve {role} on {target} by {', '.join(offering)} would still be there"
    return ""


def _places(policy: Policy) -> frozenset[tuple[TargetName, RoleName]]:
    """The roles on targets that somebody can get."""
    return frozenset(place for places in who_can_do_what(policy).values() for place in places)
