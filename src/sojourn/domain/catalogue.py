"""The catalogue: everything an organisation has written down, as one value with a version and a hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sojourn.errors import Code, Refusal

from .identifiers import PersonId, RoleName, TargetName
from .people import Person, Team
from .policy import Policy, Question, Rule, Separation, Terms, applying_lines, compile_policy, judge
from .policy.judging import excluded, why_excluded
from .standing import NOTHING_SAID, Standing
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

    def joined(self, claims: Mapping[tuple[PersonId, str], frozenset[str]]) -> Catalogue:
        """The catalogue in which people are also in the teams that their groups fill; nobody unknown is in any."""
        if not claims or not any(team.groups for team in self.teams):
            return self
        people = {person.id for person in self.people}
        groups: dict[PersonId, set[str]] = {}
        for (person, _), claimed in sorted(claims.items()):
            if person in people:
                groups.setdefault(person, set()).update(claimed)
        return replace(self, teams=tuple(_filled(team, groups) for team in self.teams))

    def policy(self) -> Policy:
        """Its policy, made ready for questions. Takes a while: whoever asks more than once keeps it (see `Adopted`)."""
        return compile_policy(
            people=self.people,
            teams=self.teams,
            targets=self.targets,
            rules=self.rules,
            separations=self.separations,
        )


def _filled(team: Team, groups: Mapping[PersonId, set[str]]) -> Team:
    more = tuple(
        person
        for person, claimed in groups.items()
        if person not in team.members and not claimed.isdisjoint(team.groups)
    )
    return replace(team, members=(*team.members, *more)) if more else team


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A catalogue in force.

    `version` is the configuration stream's version, `digest` the SHA-256 (hex) of the catalogue's canonical JSON, and
    `settings_sha256` that of the settings adopted with it; "" where the record holds none yet.
    `standing` is what the record says about people besides; who has left is not in `catalogue`.
    """

    catalogue: Catalogue
    version: int
    digest: str
    standing: Standing = NOTHING_SAID
    settings_sha256: str = ""
    _ready: list[Policy] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def policy(self) -> Policy:
        """The catalogue's policy, made ready once."""
        if not self._ready:
            self._ready.append(self.catalogue.policy())
        return self._ready[0]

    def judge(self, question: Question) -> Terms | Refusal:
        """The terms for such a request, or why it is not allowed (see `policy.judge`, and `standing`)."""
        if self.standing.removed(question.person, question.target, question.role):
            details = {"person": question.person, "target": question.target, "role": question.role}
            return Refusal(Code.ELIGIBILITY_REMOVED, details)
        person = self.policy.people.get(question.person)
        if person is not None and person.owner in self.standing.left:
            return Refusal(Code.OWNER_LEFT, {"person": person.id, "owner": person.owner})
        return judge(self.policy, question)

    def excluded(self, question: Question) -> frozenset[PersonId]:
        """Who may not decide on it, in whatever place: the requester by any account, and whom rules leave out."""
        lines = applying_lines(self.policy, question)
        return excluded(
            self.policy, question.person, question.facts, (one for line in lines for one in line.rule.excluded)
        )

    def why_excluded(self, question: Question) -> Mapping[PersonId, str]:
        """The same people, each with why in words that fit behind their name."""
        lines = applying_lines(self.policy, question)
        return why_excluded(
            self.policy, question.person, question.facts, (one for line in lines for one in line.rule.excluded)
        )

    def eligible(self, person: PersonId, target: TargetName, role: RoleName) -> bool:
        """Whether any rule is about this person and access, whatever else it asks for and whenever it holds."""
        known = self.policy.people.get(person)
        if known is None or known.owner in self.standing.left or self.standing.removed(person, target, role):
            return False
        return self.gives(person, target, role)

    def gives(self, person: PersonId, target: TargetName, role: RoleName) -> bool:
        """Whether any rule is about this person and access, whatever was taken from them besides."""
        return any(person in line.who for line in self.policy.offered.get((target, role), ()))

    def under(self, standing: Standing) -> Adopted:
        """The same catalogue, as it was adopted, under another standing of its people."""
        catalogue = self.catalogue.without(standing.left).joined(standing.counted)
        return replace(self, catalogue=catalogue, standing=standing)
