"""What a company's directory says about people and groups (SCIM), and what follows from it here.

- The directory answers for people whom the configuration knows, and makes nobody known.
- Whom it calls inactive, or no longer knows, has left: from that moment they are nobody. It brings back only those whom
  it sent away itself, and never takes the last administrator.
- For whom it answers, its groups count, and those of their sign-in no longer do.
- Who is in none of its groups is in no team through it; a group has one name, and a name is of one group.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from sojourn.errors import Code, Refusal

from .events import (
    Event,
    GroupDeprovisioned,
    GroupProvisioned,
    GroupsClaimed,
    PersonDeprovisioned,
    PersonLeft,
    PersonProvisioned,
    PersonReturned,
)
from .identifiers import PersonId
from .people import Person
from .sealed import Sealed
from .standing import DIRECTORY, Standing

MEMBERS_MAX = 4000
"""People whose membership changes at once; it is one append to the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """The directory hands a person over that it did not before, or (`known`) says something new about one."""

    person: PersonId
    external_id: str
    active: bool
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """The directory deletes a person."""

    person: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class SayGroup:
    """There is a group of this name and exactly these members; `known` says that there was."""

    group: str
    name: str
    external_id: str
    members: frozenset[PersonId]
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DropGroup:
    """The directory deletes a group."""

    group: str


Saying = HandOver | TakeBack | SayGroup | DropGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Through which program the directory says it, and why people are on record as leaving by it."""

    by: PersonId
    source: str
    reason: Sealed


def members(state: Standing, name: str) -> frozenset[PersonId]:
    """Who is in the directory's group of that name."""
    return frozenset(
        person for (person, origin), groups in state.claims.items() if origin == DIRECTORY and name in groups
    )


def decide(state: Standing, saying: Saying, said: Said, people: tuple[Person, ...]) -> tuple[Event, ...] | Refusal:
    """What follows from what the directory says, or why nothing does. `people` are those who are there now."""
    match saying:
        case HandOver():
            return _hand_over(state, saying, said, people)
        case TakeBack():
            if saying.person not in state.provisioned:
                return Refusal(Code.DIRECTORY_UNKNOWN, {"what": "person", "name": saying.person})
            away = _leave(state, saying.person, said, people)
            if isinstance(away, Refusal):
                return away
            over = PersonDeprovisioned(person=saying.person, recorded_by=said.by, source=said.source)
            return (over, *_claims(state, [saying.person], said, lose=None), *away)
        case SayGroup():
            return _say_group(state, saying, said)
        case DropGroup():
            held = state.groups.get(saying.group)
            if held is None:
                return Refusal(Code.DIRECTORY_UNKNOWN, {"what": "group", "name": saying.group})
            gone = GroupDeprovisioned(group=saying.group, recorded_by=said.by, source=said.source)
            return (gone, *_claims(state, members(state, held.name), said, lose=held.name))
        case _:
            assert_never(saying)


def _hand_over(
    state: Standing, saying: HandOver, said: Said, people: tuple[Person, ...]
) -> tuple[Event, ...] | Refusal:
    person, held = saying.person, state.provisioned.get(saying.person)
    if saying.known and held is None:
        return Refusal(Code.DIRECTORY_UNKNOWN, {"what": "person", "name": person})
    if not saying.known and held is not None:
        return Refusal(Code.DIRECTORY_EXISTS, {"what": "person", "name": person})
    if person not in state.left and not any(one.id == person for one in people):
        return Refusal(Code.DIRECTORY_NOBODY, {"name": person})
    events: list[Event] = []
    if held != saying.external_id:
        events.append(
            PersonProvisioned(person=person, external_id=saying.external_id, recorded_by=said.by, source=said.source)
        )
    if not saying.active:
        away = _leave(state, person, said, people)
        return away if isinstance(away, Refusal) else (*events, *away)
    if person in state.left:
        if state.left_by.get(person) != said.by:
            return Refusal(Code.DIRECTORY_LEFT, {"person": person, "by": state.left_by.get(person, "somebody else")})
        events.append(PersonReturned(person=person, recorded_by=said.by, reason=said.reason, source=said.source))
    return tuple(events)


def _leave(
    state: Standing, person: PersonId, said: Said, people: tuple[Person, ...]
) -> tuple[PersonLeft, ...] | Refusal:
    """Their leaving, unless they have left before or are the last administrator."""
    if person in state.left:
        return ()
    known = next((one for one in people if one.id == person), None)
    others = any(one.administrator and one.id != person for one in people)
    if known is not None and known.administrator and not others:
        return Refusal(Code.ADMINISTRATOR_LAST, {"person": person})
    return (PersonLeft(person=person, recorded_by=said.by, reason=said.reason, source=said.source),)


def _say_group(state: Standing, saying: SayGroup, said: Said) -> tuple[Event, ...] | Refusal:
    held = state.groups.get(saying.group)
    if saying.known and held is None:
        return Refusal(Code.DIRECTORY_UNKNOWN, {"what": "group", "name": saying.group})
    if any(one.name == saying.name for group, one in state.groups.items() if group != saying.group):
        return Refusal(Code.DIRECTORY_EXISTS, {"what": "group", "name": saying.name})
    before = frozenset() if held is None else members(state, held.name)
    after = frozenset(person for person in saying.members if person in state.provisioned)
    renamed = held is not None and held.name != saying.name
    touched = before | after if renamed else before ^ after
    if len(touched) > MEMBERS_MAX:
        problem = f"{len(touched)} memberships change at once, and at most {MEMBERS_MAX} may"
        return Refusal(Code.DIRECTORY_VALUE, {"problem": problem})
    events: list[Event] = []
    if held is None or renamed or held.external_id != saying.external_id:
        events.append(
            GroupProvisioned(
                group=saying.group,
                name=saying.name,
                external_id=saying.external_id,
                recorded_by=said.by,
                source=said.source,
            )
        )
    for person in sorted(touched):
        lost = {held.name} if held is not None else set()
        groups = state.claims.get((person, DIRECTORY), frozenset()) - lost
        events.append(_claimed(person, groups | {saying.name} if person in after else groups, said))
    return tuple(events)


def _claims(state: Standing, people: Iterable[PersonId], said: Said, *, lose: str | None) -> Iterable[GroupsClaimed]:
    """These people's groups without the one that is lost (None: all)."""
    for person in sorted(people):
        groups = state.claims.get((person, DIRECTORY), frozenset())
        if groups:
            yield _claimed(person, frozenset() if lose is None else groups - {lose}, said)


def _claimed(person: PersonId, groups: frozenset[str], said: Said) -> GroupsClaimed:
    return GroupsClaimed(person=person, origin=DIRECTORY, groups=tuple(sorted(groups)), source=said.source)
