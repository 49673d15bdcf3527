"""people.yaml, targets.yaml and policy.yaml, read into the domain's catalogue. Every reference must be known.

What is refused here can never surprise anybody later: a rule whose approvers cannot reach the number, alone or
together with other rules that fit the same request, is an error that names it.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RuleName, TeamName
from sojourn.domain.people import Person, Team
from sojourn.domain.policy import People, Rule
from sojourn.domain.target import Target

from .conflicts import find_unapprovable
from .nodes import Node, once, read_file
from .targets import read_targets

LONGEST_GRANT = timedelta(days=30)
APPROVALS_MAX = 10
ALTERNATIVES_SHOWN = 10
SYSTEM_ACTOR = "system"
"""What time and the enforcer do is on record under this name, so no person may have it."""

Name = TypeVar("Name", bound=str)


def read_catalogue(directory: Path) -> tuple[Catalogue, dict[str, bytes]]:
    """The catalogue that the files of `directory` say, and each file's bytes by its name.

    Raises SojournError `configuration.missing`, or `configuration.invalid` with file, line, column, and what was
    expected there.
    """
    files = {name: read_file(directory / name) for name in ("people.yaml", "targets.yaml", "policy.yaml")}
    people, teams = _people(files["people.yaml"][0])
    targets = read_targets(files["targets.yaml"][0])
    rules = _rules(files["policy.yaml"][0], people, teams, targets)
    catalogue = Catalogue(people=people, teams=teams, targets=targets, rules=rules)
    return catalogue, {name: content for name, (_, content) in files.items()}


def _people(root: Node) -> tuple[tuple[Person, ...], tuple[Team, ...]]:
    fields = root.fields("people", "teams", required=("people",))
    people = tuple(_person(PersonId(name), node) for name, node in fields["people"].named("people").items())
    known = [person.id for person in people]
    teams = []
    for name, node in fields["teams"].named("teams").items() if "teams" in fields else ():
        members = _known(node, known, "a list of people", "person")
        teams.append(Team(name=TeamName(name), members=members))
    return people, tuple(teams)


def _person(name: PersonId, node: Node) -> Person:
    if name == SYSTEM_ACTOR:
        node.fail(f"{SYSTEM_ACTOR!r} is the name under which Sojourn itself is on record", "another id")
    fields = node.fields("name", "mail", "administrator", "auditor", required=("name",))
    return Person(
        id=name,
        name=fields["name"].text("the person's name"),
        mail=fields["mail"].text("a mail address") if "mail" in fields else "",
        administrator="administrator" in fields and fields["administrator"].boolean(),
        auditor="auditor" in fields and fields["auditor"].boolean(),
    )


def _known(node: Node, known: Collection[Name], expected: str, what: str) -> tuple[Name, ...]:
    """A list of names, all of them known and none twice."""
    by_text = {str(one): one for one in known}

    def read(one: Node) -> Name:
        name = one.text(f"the name of a {what}")
        if name not in by_text:
            one.fail(f"There is no {what} {name!a}", _alternatives(name, by_text))
        return by_text[name]

    return once(node, expected, read)


def _alternatives(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, 3)
    if near:
        return " or ".join(near) + " (did you mean that?)"
    if not known:
        return "one that is defined, and none is"
    shown = list(known)[:ALTERNATIVES_SHOWN]
    return "one of " + ", ".join(shown) + (", …" if len(known) > len(shown) else "")


def _rules(
    root: Node, people: tuple[Person, ...], teams: tuple[Team, ...], targets: tuple[Target, ...]
) -> tuple[Rule, ...]:
    nodes = root.fields("rules", required=("rules",))["rules"].named("rules")
    rules = tuple(_rule(RuleName(name), node, people, teams, targets) for name, node in nodes.items())
    conflict = find_unapprovable(rules, teams)
    if conflict is not None:
        nodes[conflict.rules[-1]].fail(
            conflict.sentence, "approvers whom all these rules name, or rules that do not overlap"
        )
    return rules


def _rule(
    name: RuleName, node: Node, people: tuple[Person, ...], teams: tuple[Team, ...], targets: tuple[Target, ...]
) -> Rule:
    required = ("who", "targets", "roles", "longest", "approvers")
    optional = ("approvals", "reason", "decide_within", "activate_within")
    fields = node.fields(*required, *optional, required=required)
    chosen = _known(fields["targets"], [target.name for target in targets], "a list of targets", "target")
    offered = [role.name for target in targets if target.name in chosen for role in target.roles]
    longest = fields["longest"].duration()
    if longest > LONGEST_GRANT:
        fields["longest"].fail("No access may be that long", f"at most {LONGEST_GRANT.days}d")
    rule = Rule(
        name=name,
        who=_set(fields["who"], people, teams),
        targets=chosen,
        roles=_known(fields["roles"], offered, "a list of roles", "role on these targets"),
        longest=longest,
        approvers=_set(fields["approvers"], people, teams),
        approvals=fields["approvals"].integer(1, APPROVALS_MAX) if "approvals" in fields else 1,
        reason_required="reason" not in fields or fields["reason"].choice({"required": True, "optional": False}),
        decide_within=fields["decide_within"].duration() if "decide_within" in fields else timedelta(hours=24),
        activate_within=fields["activate_within"].duration() if "activate_within" in fields else timedelta(hours=8),
    )
    approvers = rule.approvers.members(teams)
    for person in sorted(rule.who.members(teams)):
        others = len(approvers) - (person in approvers)
        if others < rule.approvals:
            problem = f"{person} could never get {rule.approvals} approvals: only {others} others may approve"
            fields["approvers"].fail(problem, "more approvers")
    return rule


def _set(node: Node, people: tuple[Person, ...], teams: tuple[Team, ...]) -> People:
    fields = node.fields("people", "teams")
    chosen = People(
        people=_known(fields["people"], [one.id for one in people], "a list of people", "person")
        if "people" in fields
        else (),
        teams=_known(fields["teams"], [one.name for one in teams], "a list of teams", "team")
        if "teams" in fields
        else (),
    )
    if not chosen.members(teams):
        node.fail("Nobody is meant", "people or teams with somebody in them")
    return chosen
