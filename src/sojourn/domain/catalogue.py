"""The catalogue: everything an organisation has written down, as one value with a version and a hash."""

from __future__ import annotations

from dataclasses import dataclass, field

from sojourn.errors import Refusal

from .identifiers import PersonId, RoleName, TargetName
from .people import Person, Team
from .policy import Policy, Question, Rule, Separation, Terms, compile_policy, judge
from .target import Role, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """People, teams, targets, rules and separations in force.

    Names are unique in each, and every reference is known.
    """

    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    targets: tuple[Target, ...]
    rules: tuple[Rule, ...]
    separations: tuple[Separation, ...] = ()

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

    def policy(self) -> Policy:
        """Its policy, made ready for questions. Takes a while: whoever asks more than once keeps it (see `Adopted`)."""
        return compile_policy(
            people=self.people,
            teams=self.teams,
            targets=self.targets,
            rules=self.rules,
            separations=self.separations,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A catalogue in force.

    `version` is the configuration stream's version, `digest` the SHA-256 (hex) of the catalogue's canonical JSON.
    """

    catalogue: Catalogue
    version: int
    digest: str
    _ready: list[Policy] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def policy(self) -> Policy:
        """The catalogue's policy, made ready once."""
        if not self._ready:
            self._ready.append(self.catalogue.policy())
        return self._ready[0]

    def judge(self, question: Question) -> Terms | Refusal:
        """The terms for such a request, or why it is not allowed (see `policy.judge`)."""
        return judge(self.policy, question)
