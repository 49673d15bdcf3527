"""Who is who at a moment, as the ledger tells it: configuration, leavers, absences, blocks and removals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import (
    AbsenceDeclared,
    AbsenceEnded,
    ConfigurationAdopted,
    ConfigurationProposed,
    EligibilityRemovalConfirmed,
    EligibilityRemoved,
    PersonLeft,
    PersonReturned,
    RequestSubmitted,
    TeamsBlocked,
    TeamsUnblocked,
)
from sojourn.domain.history import Recorded
from sojourn.domain.people import PersonKind
from sojourn.domain.policy import People, Rule

ADMINISTRATORS_ENOUGH = 2
NOBODY = Catalogue(people=(), teams=(), targets=(), rules=())

Seats = list[tuple[str, frozenset[str], int]]
"""Groups: name, people, and how many of them."""


@dataclass(slots=True)
class Company:
    """Everything that is known about people at the place in the ledger that was reached."""

    attachments: Mapping[str, bytes]
    version: int = 0
    catalogue: Catalogue = NOBODY
    left: set[str] = field(default_factory=set)
    absences: dict[str, AbsenceDeclared] = field(default_factory=dict)
    blocks: dict[str, TeamsBlocked] = field(default_factory=dict)
    removed: set[tuple[str, str, str]] = field(default_factory=set)
    proposals: dict[str, ConfigurationProposed] = field(default_factory=dict)

    def told(self, recorded: Recorded) -> Iterator[str]:
        """Take note of an entry; gives what is wrong with it."""
        event = recorded.event
        match event:
            case ConfigurationAdopted():
                yield from self._adopted(event)
            case ConfigurationProposed():
                self.proposals[event.change] = event
                if not self.administers(event.person):
                    yield f"{event.person} proposes and is no administrator"
            case PersonLeft():
                if not self.administers(event.recorded_by):
                    yield f"{event.recorded_by} records a departure and is no administrator"
                self.left.add(event.person)
            case PersonReturned():
                self.left.discard(event.person)
            case AbsenceDeclared():
                self.absences[event.absence] = event
            case AbsenceEnded():
                self.absences.pop(event.absence, None)
            case TeamsBlocked():
                self.blocks[event.grant] = event
            case TeamsUnblocked():
                self.blocks.pop(event.grant, None)
            case EligibilityRemoved():
                self.removed.add((event.person, event.target, event.role))
            case EligibilityRemovalConfirmed():
                if self.offers(event.person, event.target, event.role):
                    yield f"the configuration still gives {event.role} to {event.person}"
                self.removed.discard((event.person, event.target, event.role))
            case _:
                pass

    def _adopted(self, event: ConfigurationAdopted) -> Iterator[str]:
        proposed = self.proposals.get(event.change)
        if self.administrators() >= ADMINISTRATORS_ENOUGH:
            if proposed is None or event.proposed_by != proposed.person:
                yield "a change without a proposal, though there are two administrators"
            elif self.human(event.approved_by) == self.human(event.proposed_by):
                yield f"{event.approved_by} approved what was their own"
            elif not (self.administers(event.approved_by) and proposed.base == self.version):
                yield f"{event.approved_by} could not approve this change of version {proposed.base}"
            elif proposed.catalogue_sha256 != event.catalogue_sha256:
                yield "another configuration than the one that was proposed"
            elif proposed.settings_sha256 != event.settings_sha256:
                yield "other settings than those that were proposed"
        self.version += 1
        self.catalogue = msgspec.json.decode(self.attachments[event.catalogue_sha256], type=Catalogue)

    def known(self, person: str) -> bool:
        """Whether that is anybody at this moment."""
        return person not in self.left and any(one.id == person for one in self.catalogue.people)

    def human(self, person: str) -> str:
        """Who stands behind an account."""
        return next((one.owner or one.id for one in self.catalogue.people if one.id == person), person)

    def decides(self, person: str) -> bool:
        """Whether that is a human being who is there."""
        kinds = {one.id: one.kind for one in self.catalogue.people}
        return self.known(person) and kinds[next(one for one in kinds if one == person)] is PersonKind.HUMAN

    def administers(self, person: str) -> bool:
        """Whether that is an administrator who is there."""
        return self.known(person) and any(one.administrator for one in self.catalogue.people if one.id == person)

    def administrators(self) -> int:
        """How many administrators there are."""
        return sum(self.administers(one.id) for one in self.catalogue.people)

    def stands_in(self, person: str, place: str, at: datetime) -> bool:
        """Whether `place` is away at that moment and has named `person`."""
        return self.known(place) and any(
            one.person == place and one.delegate == person and one.window.start <= at < one.window.end
            for one in self.absences.values()
        )

    def blocked(self, person: str) -> bool:
        """Whether an overdue review keeps the person from being given anything new."""
        teams = {team.name for team in self.catalogue.teams if person in team.members}
        return any(person == one.person or teams & set(one.teams) for one in self.blocks.values())

    def members(self, people: People) -> frozenset[str]:
        """Who is meant, by name and team; attributes and exceptions are for `People` itself to say."""
        if people.attributes or people.except_people or people.except_teams:
            return frozenset(people.members(self.catalogue.teams, self.catalogue.people)) - self.left
        named = set(people.people)
        for team in self.catalogue.teams:
            if team.name in people.teams:
                named |= set(team.members)
        return frozenset(named) - self.left

    def rules(self, person: str, target: str, role: str, *, glass: bool) -> list[Rule]:
        """The rules that are about this person and access."""
        return [
            rule
            for rule in self.catalogue.rules
            if person in self.members(rule.who)
            and target in rule.targets
            and role in rule.roles
            and (rule.break_glass is not None) == glass
        ]

    def offers(self, person: str, target: str, role: str) -> bool:
        """Whether the configuration gives this to the person in any way."""
        return self.known(person) and any(self.rules(person, target, role, glass=glass) for glass in (False, True))

    def seats(self, asked: RequestSubmitted, *, escalated: bool) -> Seats | None:
        """The groups that have to approve now; None where nothing is allowed any more.

        For policies whose rules have no conditions of their own; `Accesses` asks for no others.
        """
        rules = self.rules(asked.person, asked.target, asked.role, glass=False)
        if not rules or not self.known(asked.person):
            return None
        groups: dict[str, tuple[frozenset[str], int]] = {}
        for rule in rules:
            for group in rule.groups:
                people, needed = groups.get(group.name, (self.members(group.people), 0))
                groups[group.name] = (people & self.members(group.people), max(needed, group.needed, 1))
        more = self._escalation(rules) if escalated else frozenset()
        return [
            (name, frozenset(one for one in people | more if self._may(one, asked)), needed)
            for name, (people, needed) in groups.items()
        ]

    def _escalation(self, rules: Sequence[Rule]) -> frozenset[str]:
        deciding = [rule for rule in rules if rule.groups]
        if not deciding or any(rule.escalation is None for rule in deciding):
            return frozenset()
        return frozenset.intersection(*(self.members(one.escalation.to) for one in deciding if one.escalation))

    def _may(self, person: str, asked: RequestSubmitted) -> bool:
        return self.decides(person) and self.human(person) != self.human(asked.person)


def filled(seats: Seats, people: Sequence[str]) -> bool:
    """Whether these people, each in one place at most, fill every place. Tries every way there is."""
    places = [members for _, members, needed in seats for _ in range(needed)]

    def fits(place: int, free: frozenset[str]) -> bool:
        return place == len(places) or any(fits(place + 1, free - {one}) for one in free & places[place])

    return fits(0, frozenset(people))
