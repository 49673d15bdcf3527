"""The catalogue: everything an organisation has written down, as one value with a version and a hash."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .identifiers import PersonId, RoleName, TargetName
from .people import Person, Team
from .policy import Rule, Terms, terms_for
from .standing import NOTHING_SAID, Standing
from .target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """People, teams, targets and rules in force. The names in each are unique and every reference is known."""

    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    targets: tuple[Target, ...]
    rules: tuple[Rule, ...]

    def person(self, person: PersonId) -> Person | None:
        """The person of that id, or None."""
        return next((one for one in self.people if one.id == person), None)

    def target(self, target: TargetName) -> Target | None:
        """The target of that name, or None."""
        return next((one for one in self.targets if one.name == target), None)

    def without(self, left: frozenset[PersonId]) -> Catalogue:
        """The catalogue in which those who have left are nobody: no people, and members of no team."""
        if not left.intersection(person.id for person in self.people):
            return self
        return replace(
            self,
            people=tuple(person for person in self.people if person.id not in left),
            teams=tuple(
                replace(team, members=tuple(one for one in team.members if one not in left)) for team in self.teams
            ),
        )

    def terms(self, *, person: PersonId, target: TargetName, role: RoleName) -> Terms | None:
        """The terms for such a request (see `policy.terms_for`), or None."""
        return terms_for(self.rules, self.teams, person=person, target=target, role=role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A catalogue in force.

    `version` is the configuration stream's version, `digest` the SHA-256 (hex) of the catalogue's canonical JSON.
    `standing` is what the record says about people besides; who has left is not in `catalogue`.
    """

    catalogue: Catalogue
    version: int
    digest: str
    standing: Standing = NOTHING_SAID

    def under(self, standing: Standing) -> Adopted:
        """The same catalogue, as it was adopted, under another standing of its people."""
        return replace(self, catalogue=self.catalogue.without(standing.left), standing=standing)
