"""The standing of people: what the record says about them that no file can take back.

- Who has left is nobody from that moment on, whatever the configuration still says, until somebody records a return.
- Only an administrator records that a person has left, and never the last administrator.
- An absence is declared by the person themselves, with dates. A delegate takes the place of the one who is away: the
  two never count twice, what was delegated to somebody is not passed on, and nobody decides on their own request
  through it. Only human beings are delegates.
- While a review is overdue, the teams that it concerns are given nothing new.
- What a provider says about somebody's groups counts until it says otherwise, and only for the teams that the
  configuration fills from groups. Of somebody for whom a directory answers (SCIM), its word alone counts.
- What a campaign took away stays away until the configuration itself no longer gives it.
- Whoever leaves, or loses something by a campaign, another configuration or a provider's word, is looked back on once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from sojourn.errors import Code, Refusal

from .events import (
    AbsenceDeclared,
    AbsenceEnded,
    EligibilityLost,
    EligibilityRemovalConfirmed,
    EligibilityRemoved,
    Event,
    GroupDeprovisioned,
    GroupProvisioned,
    GroupsClaimed,
    LookedBack,
    PersonDeprovisioned,
    PersonLeft,
    PersonProvisioned,
    PersonReturned,
    TeamsBlocked,
    TeamsUnblocked,
)
from .identifiers import AbsenceId, CampaignId, GrantId, PersonId, RoleName, TargetName
from .people import Person, PersonKind, Team
from .sealed import Sealed
from .window import Window

DIRECTORY = "scim"
"""The origin of groups that a directory pushes."""

ABSENCE_MAX = timedelta(days=366)
ABSENCES_MAX = 100
"""Of one person, those that are over not counted: they end on record when another is declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What a campaign took from somebody, while the configuration still gives it."""

    campaign: CampaignId
    person: PersonId
    target: TargetName
    role: RoleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the stream `standing` tells. `version` is the stream's.

    `left_by` is who recorded that somebody left; `provisioned` are those for whom a directory answers, with what it
    calls them, and `groups` its groups. `to_look_back` are those who left, or lost something, since what they had
    and did was put on record the last time.
    """

    version: int = 0
    left: frozenset[PersonId] = frozenset()
    left_by: Mapping[PersonId, str] = field(default_factory=dict)
    provisioned: Mapping[PersonId, str] = field(default_factory=dict)
    groups: Mapping[str, GroupProvisioned] = field(default_factory=dict)
    absences: tuple[AbsenceDeclared, ...] = ()
    blocks: tuple[TeamsBlocked, ...] = ()
    removals: frozenset[Removal] = frozenset()
    claims: Mapping[tuple[PersonId, str], frozenset[str]] = field(default_factory=dict)
    to_look_back: frozenset[PersonId] = frozenset()

    @property
    def counted(self) -> Mapping[tuple[PersonId, str], frozenset[str]]:
        """The claims that put people into teams: the directory's of those for whom it answers."""
        return {
            (person, origin): groups
            for (person, origin), groups in self.claims.items()
            if (origin == DIRECTORY) is (person in self.provisioned)
        }

    def delegators(self, delegate: PersonId, now: datetime) -> tuple[PersonId, ...]:
        """Those who are away at this moment and named `delegate` to decide in their place, in order."""
        return tuple(
            sorted(
                {
                    one.person
                    for one in self.absences
                    if one.delegate == delegate and one.window.contains(now) and one.person not in self.left
                }
            )
        )

    def delegate_of(self, person: PersonId, now: datetime) -> PersonId | None:
        """Who decides in the place of `person` at this moment, or None. The absence declared last counts."""
        away = [one for one in self.absences if one.person == person and one.window.contains(now)]
        return away[-1].delegate if away else None

    def away(self, person: PersonId, now: datetime) -> bool:
        """Whether the person has said to be away at this moment."""
        return any(one.person == person and one.window.contains(now) for one in self.absences)

    def removed(self, person: PersonId, target: TargetName, role: RoleName) -> bool:
        """Whether a campaign has taken this from the person."""
        return any((one.person, one.target, one.role) == (person, target, role) for one in self.removals)

    def blocking(self, person: PersonId, teams: tuple[Team, ...]) -> tuple[GrantId, ...]:
        """The grants whose overdue reviews keep `person` from being given anything new."""
        own = {team.name for team in teams if person in team.members}
        return tuple(one.grant for one in self.blocks if one.person == person or own & set(one.teams))


NOTHING_SAID = Standing()
"""Nothing is on record about anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Somebody records that `person` has left."""

    person: PersonId
    recorded_by: PersonId
    reason: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Somebody records that `person` is back."""

    person: PersonId
    recorded_by: PersonId
    reason: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareAbsence:
    """A person says to be away, and who decides in their place meanwhile."""

    absence: AbsenceId
    person: PersonId
    start: datetime
    end: datetime
    delegate: PersonId | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAbsence:
    """A person is back early, or does not go."""

    absence: AbsenceId
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimGroups:
    """A provider says which groups `person` is in. Only those count that the configuration fills teams from."""

    person: PersonId
    origin: str
    groups: tuple[str, ...]
    source: str


Command = Leave | Return | DeclareAbsence | EndAbsence | ClaimGroups


def evolve(state: Standing, event: Event) -> Standing:
    """The standing after `event`, one version further. Events of other streams must not be given."""
    after = replace(state, version=state.version + 1, to_look_back=_to_look_back(state, event))
    match event:
        case PersonLeft():
            left_by = {**state.left_by, event.person: event.recorded_by}
            return replace(after, left=state.left | {event.person}, left_by=left_by)
        case PersonReturned():
            return replace(after, left=state.left - {event.person})
        case PersonProvisioned() | PersonDeprovisioned() | GroupProvisioned() | GroupDeprovisioned():
            return _directory(after, event)
        case AbsenceDeclared():
            return replace(after, absences=(*state.absences, event))
        case AbsenceEnded():
            return replace(after, absences=tuple(one for one in state.absences if one.absence != event.absence))
        case GroupsClaimed():
            claims = {**state.claims, (event.person, event.origin): frozenset(event.groups)}
            return replace(after, claims={key: groups for key, groups in claims.items() if groups})
        case TeamsBlocked():
            return replace(after, blocks=(*state.blocks, event))
        case TeamsUnblocked():
            return replace(after, blocks=tuple(one for one in state.blocks if one.grant != event.grant))
        case EligibilityRemoved():
            return replace(after, removals=state.removals | {_removal(event)})
        case EligibilityRemovalConfirmed():
            return replace(after, removals=state.removals - {_removal(event)})
        case _:
            return after


def _to_look_back(state: Standing, event: Event) -> frozenset[PersonId]:
    match event:
        case PersonLeft() | EligibilityRemoved() | EligibilityLost():
            return state.to_look_back | {event.person}
        case GroupsClaimed():
            counted = (event.origin == DIRECTORY) is (event.person in state.provisioned)
            fewer = state.claims.get((event.person, event.origin), frozenset()).difference(event.groups)
            return state.to_look_back | {event.person} if counted and fewer else state.to_look_back
        case PersonProvisioned():
            # From here on the groups of their sign-in no longer count.
            over = event.person not in state.provisioned and any(one == event.person for one, _ in state.claims)
            return state.to_look_back | {event.person} if over else state.to_look_back
        case LookedBack():
            return state.to_look_back - {event.person}
        case _:
            return state.to_look_back


def _directory(
    state: Standing, event: PersonProvisioned | PersonDeprovisioned | GroupProvisioned | GroupDeprovisioned
) -> Standing:
    match event:
        case PersonProvisioned():
            return replace(state, provisioned={**state.provisioned, event.person: event.external_id})
        case PersonDeprovisioned():
            kept = {person: external for person, external in state.provisioned.items() if person != event.person}
            return replace(state, provisioned=kept)
        case GroupProvisioned():
            return replace(state, groups={**state.groups, event.group: event})
        case GroupDeprovisioned():
            return replace(state, groups={group: one for group, one in state.groups.items() if group != event.group})


def _removal(event: EligibilityRemoved | EligibilityRemovalConfirmed) -> Removal:
    return Removal(campaign=event.campaign, person=event.person, target=event.target, role=event.role)


def decide(state: Standing, command: Command, people: tuple[Person, ...], now: datetime) -> tuple[Event, ...] | Refusal:
    """What follows from `command`, or why nothing does. `people` are those of the configuration, left or not."""
    match command:
        case Leave():
            return _leave(state, command, people)
        case Return():
            return _return(state, command, people)
        case DeclareAbsence():
            return _declare(state, command, people, now)
        case EndAbsence():
            held = next((one for one in state.absences if one.absence == command.absence), None)
            if held is None or held.person != command.person:
                return Refusal(Code.ABSENCE_UNKNOWN, {"absence": command.absence})
            return (AbsenceEnded(absence=held.absence, person=held.person, source=command.source),)
        case ClaimGroups():
            if _present(state, people, command.person) is None:
                return Refusal(Code.PERSON_UNKNOWN, {"person": command.person})
            groups = tuple(sorted(set(command.groups)))
            if state.claims.get((command.person, command.origin), frozenset()) == frozenset(groups):
                return ()
            claimed = GroupsClaimed(person=command.person, origin=command.origin, groups=groups, source=command.source)
            return (claimed,)
        case _:
            assert_never(command)


def _present(state: Standing, people: tuple[Person, ...], person: PersonId) -> Person | None:
    return next((one for one in people if one.id == person and one.id not in state.left), None)


def _administrator(state: Standing, people: tuple[Person, ...], person: PersonId, action: str) -> Refusal | None:
    known = _present(state, people, person)
    if known is not None and known.administrator:
        return None
    return Refusal(Code.PERMISSION_DENIED, {"person": person, "action": action, "who": "an administrator"})


def _leave(state: Standing, command: Leave, people: tuple[Person, ...]) -> tuple[Event, ...] | Refusal:
    refusal = _administrator(state, people, command.recorded_by, "record that somebody has left")
    if refusal is not None:
        return refusal
    if command.person in state.left:
        return Refusal(Code.PERSON_LEFT, {"person": command.person})
    if not any(one.id == command.person for one in people):
        return Refusal(Code.PERSON_UNKNOWN, {"person": command.person})
    others = [one for one in people if one.administrator and one.id not in state.left | {command.person}]
    if not others:
        return Refusal(Code.ADMINISTRATOR_LAST, {"person": command.person})
    return (
        PersonLeft(
            person=command.person,
            recorded_by=command.recorded_by,
            reason=command.reason,
            source=command.source,
        ),
    )


def _return(state: Standing, command: Return, people: tuple[Person, ...]) -> tuple[Event, ...] | Refusal:
    refusal = _administrator(state, people, command.recorded_by, "record that somebody is back")
    if refusal is not None:
        return refusal
    if command.person not in state.left:
        return Refusal(Code.PERSON_PRESENT, {"person": command.person})
    return (
        PersonReturned(
            person=command.person,
            recorded_by=command.recorded_by,
            reason=command.reason,
            source=command.source,
        ),
    )


def _declare(
    state: Standing, command: DeclareAbsence, people: tuple[Person, ...], now: datetime
) -> tuple[Event, ...] | Refusal:
    if _present(state, people, command.person) is None:
        return Refusal(Code.PERSON_UNKNOWN, {"person": command.person})
    if command.delegate == command.person:
        return Refusal(Code.ABSENCE_INVALID, {"problem": "Nobody decides in their own place"})
    if command.delegate is not None:
        delegate = _present(state, people, command.delegate)
        if delegate is None:
            return Refusal(Code.PERSON_UNKNOWN, {"person": command.delegate})
        if delegate.kind is not PersonKind.HUMAN:
            return Refusal(
                Code.ABSENCE_INVALID, {"problem": f"Only people decide, and {delegate.id} is {delegate.kind}"}
            )
    if command.end <= max(now, command.start):
        return Refusal(Code.ABSENCE_INVALID, {"problem": "An absence ends after it begins, and after now"})
    if command.end - command.start > ABSENCE_MAX or command.start - now > ABSENCE_MAX:
        return Refusal(Code.ABSENCE_INVALID, {"problem": f"An absence is within {ABSENCE_MAX.days} days"})
    if sum(one.person == command.person and one.window.end > now for one in state.absences) >= ABSENCES_MAX:
        return Refusal(Code.ABSENCE_INVALID, {"problem": f"{ABSENCES_MAX} absences are declared already"})
    declared = AbsenceDeclared(
        absence=command.absence,
        person=command.person,
        window=Window(start=command.start, end=command.end),
        delegate=command.delegate,
        source=command.source,
    )
    over = [one for one in state.absences if one.person == command.person and one.window.end <= now]
    ended = (AbsenceEnded(absence=one.absence, person=one.person, source=command.source) for one in over)
    return (*ended, declared)
