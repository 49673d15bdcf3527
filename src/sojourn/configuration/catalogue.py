"""people.yaml, targets.yaml and policy.yaml, read into the domain's catalogue. Every reference must be known.

What is refused here can never surprise anybody later: a rule whose approvers cannot reach the number, alone or
together with other rules that fit the same request, is an error that names it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Hashable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RoleName, RuleName, TargetName, TeamName
from sojourn.domain.people import Person, Team
from sojourn.domain.policy import People, Rule
from sojourn.domain.target import Privilege, Recording, Role, Target, TargetKind, TlsMode, Verb

from .conflicts import find_unapprovable
from .nodes import Node, read_file

LONGEST_GRANT = timedelta(days=30)
APPROVALS_MAX = 10
CONNECTIONS_MAX = 100
ALTERNATIVES_SHOWN = 10
SYSTEM_ACTOR = "system"
"""What time and the enforcer do is on record under this name, so no person may have it."""

TABLE_EXPECTED = "a list of table names, or all"

Name = TypeVar("Name", bound=str)
Value = TypeVar("Value", bound=Hashable)


def read_catalogue(directory: Path) -> tuple[Catalogue, dict[str, bytes]]:
    """The catalogue that the files of `directory` say, and each file's bytes by its name.

    Raises SojournError `configuration.missing`, or `configuration.invalid` with file, line, column, and what was
    expected there.
    """
    files = {name: read_file(directory / name) for name in ("people.yaml", "targets.yaml", "policy.yaml")}
    people, teams = _people(files["people.yaml"][0])
    targets = _targets(files["targets.yaml"][0])
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

    return _once(node, expected, read)


def _alternatives(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, 3)
    if near:
        return " or ".join(near) + " (did you mean that?)"
    if not known:
        return "one that is defined, and none is"
    shown = list(known)[:ALTERNATIVES_SHOWN]
    return "one of " + ", ".join(shown) + (", …" if len(known) > len(shown) else "")


def _targets(root: Node) -> tuple[Target, ...]:
    fields = root.fields("targets", required=("targets",))
    return tuple(_target(TargetName(name), node) for name, node in fields["targets"].named("targets").items())


def _target(name: TargetName, node: Node) -> Target:
    required = ("kind", "host", "port", "database", "administrator", "administrator_secret", "roles")
    fields = node.fields(*required, "tls", "tls_authority", "description", required=required)
    modes = {str(mode): mode for mode in TlsMode}
    return Target(
        name=name,
        kind=fields["kind"].choice({str(kind): kind for kind in TargetKind}),
        host=fields["host"].text("a host name or address"),
        port=fields["port"].integer(1, 65535),
        database=fields["database"].text("the name of a database"),
        administrator=fields["administrator"].text("the name of Sojourn's account there"),
        administrator_secret=fields["administrator_secret"].name("the name of a file in secrets/"),
        roles=tuple(_role(RoleName(one), role) for one, role in fields["roles"].named("roles").items()),
        tls=fields["tls"].choice(modes) if "tls" in fields else TlsMode.VERIFY_FULL,
        tls_authority=fields["tls_authority"].text("the path of a certificate") if "tls_authority" in fields else "",
        description=fields["description"].text("a sentence") if "description" in fields else "",
    )


def _role(name: RoleName, node: Node) -> Role:
    fields = node.fields("description", "connections", "privileges", "record", required=("privileges",))
    privileges = tuple(_privilege(one) for one in fields["privileges"].items("a list of privileges"))
    if not privileges:
        fields["privileges"].fail("A role without privileges opens nothing", "one privilege at least")
    role = Role(
        name=name,
        privileges=privileges,
        description=fields["description"].text("a sentence") if "description" in fields else "",
        connections_max=fields["connections"].integer(1, CONNECTIONS_MAX) if "connections" in fields else 4,
        recording=fields["record"].choice({str(one): one for one in Recording})
        if "record" in fields
        else Recording.BEFORE_FORWARD,
    )
    if role.recording is Recording.BEFORE_RELEASE and not role.reads_only:
        problem = "This role may change something, so its statements must be on record before they go on"
        fields["record"].fail(problem, f"{Recording.BEFORE_FORWARD}, or a role with select alone")
    return role


def _privilege(node: Node) -> Privilege:
    fields = node.fields("schema", "tables", "columns", "verbs", required=("schema", "tables", "verbs"))
    options = {str(verb): verb for verb in Verb}
    verbs = _once(fields["verbs"], "a list of verbs", lambda one: one.choice(options))
    if not verbs:
        fields["verbs"].fail("A privilege without verbs allows nothing", "one of " + ", ".join(options))
    columns = _texts(fields["columns"], "a list of columns") if "columns" in fields else ()
    tables = _tables(fields["tables"])
    if columns and (Verb.DELETE in verbs or not tables):
        problem = "Columns go with named tables, and never with delete, which takes whole rows"
        fields["columns"].fail(problem, "a privilege of its own for them")
    if "columns" in fields and not columns:
        fields["columns"].fail("The list is empty", "a list of columns, or no such key for whole tables")
    return Privilege(schema=fields["schema"].text("a schema"), verbs=verbs, tables=tables, columns=columns)


def _tables(node: Node) -> tuple[str, ...]:
    if node.is_list:
        names = _texts(node, TABLE_EXPECTED)
        if not names:
            node.fail("The list is empty", TABLE_EXPECTED)
        return names
    node.choice({"all": True})
    return ()


def _texts(node: Node, expected: str) -> tuple[str, ...]:
    return _once(node, expected, lambda one: one.text("a name"))


def _once(node: Node, expected: str, read: Callable[[Node], Value]) -> tuple[Value, ...]:
    """A list, none of whose values is given twice."""
    found: dict[Value, None] = {}
    for one in node.items(expected):
        value = read(one)
        if value in found:
            one.fail(f"{str(value)!a} is listed twice", "each once")
        found[value] = None
    return tuple(found)


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
