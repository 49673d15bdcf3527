"""The catalogue: everything an organisation has written down, as one value with a version and a hash."""

from __future__ import annotations

from dataclasses import dataclass

from .identifiers import PersonId, RoleName, TargetName
from .people import Person, Team
from .policy import Rule, Terms, terms_for
from .target import Role, Target


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

    def role(self, target: TargetName, role: RoleName) -> Role | None:
        """The role of that name on that target, or None."""
        known = self.target(target)
        return known.role(role) if known is not None else None

    def terms(self, *, person: PersonId, target: TargetName, role: RoleName) -> Terms | None:
        """The terms for such a request (see `policy.terms_for`), or None."""
        return terms_for(self.rules, self.teams, person=person, target=target, role=role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A catalogue in force.

    `version` is the configuration stream's version, `digest` the SHA-256 (hex) of the catalogue's canonical JSON.
    """

    catalogue: Catalogue
    version: int
    digest: str
