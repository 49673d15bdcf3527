"""people.yaml: who there is, and the teams they are in."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from sojourn.domain.identifiers import PersonId, TargetName, TeamName
from sojourn.domain.people import FactKind, Mandate, Person, PersonKind, Team

from .names import Directory, known, known_one, once, pairs, texts
from .nodes import Node
from .when import read_zone
from .workloads import read_workloads

SYSTEM_ACTOR = "system"
"""What time and the enforcer do is on record under this name, so no person may have it."""

_KEYS = (
    *("name", "mail", "zone", "administrator", "auditor", "kind", "manager", "owner"),
    *("attributes", "tells", "mandate", "workloads"),
)


def read_people(root: Node) -> Directory:
    """Everybody, and every team. Raises SojournError `configuration.invalid`."""
    fields = root.fields("people", "teams", "groups", required=("people",))
    nodes = fields["people"].named("people")
    ids = [PersonId(name) for name in nodes]
    people = tuple(_person(PersonId(name), node, ids) for name, node in nodes.items())
    kinds = {person.id: person.kind for person in people}
    for person in people:
        if person.owner is not None and kinds[person.owner] is not PersonKind.HUMAN:
            owner = nodes[person.id].mapping("a person")["owner"]
            owner.fail(f"{person.owner} is {kinds[person.owner]}", "a human being, who answers for it")
    _one_account_each(people, nodes)
    teams = []
    for name, node in fields["teams"].named("teams").items() if "teams" in fields else ():
        teams.append(Team(name=TeamName(name), members=known(node, ids, "a list of people", "person")))
    return Directory(people=people, teams=_with_groups(teams, fields.get("groups")))


def _with_groups(teams: list[Team], node: Node | None) -> tuple[Team, ...]:
    """The teams, each with the groups of the identity provider that fill it as well."""
    if node is None:
        return tuple(teams)
    groups = {name: texts(one, "the names of groups at the provider") for name, one in node.named("teams").items()}
    for name, one in node.named("teams").items():
        if name not in {team.name for team in teams}:
            one.fail(f"There is no team {name!a}", f"one of {', '.join(team.name for team in teams) or 'none'}")
    return tuple(replace(team, groups=groups.get(team.name, ())) for team in teams)


def _one_account_each(people: tuple[Person, ...], nodes: Mapping[str, Node]) -> None:
    """Refuse a second account of a human being: what one of them asks for, the other could decide on."""
    seen: dict[str, PersonId] = {}
    for person in people:
        if person.kind is not PersonKind.HUMAN or not person.mail:
            continue
        before = seen.setdefault(_mailbox(person.mail), person.id)
        if before != person.id:
            mail = nodes[person.id].mapping("a person")["mail"]
            mail.fail(f"{person.id} and {before} have the same mail address", "one account for each human being")


def _mailbox(mail: str) -> str:
    """Where mail to this address arrives: in any case, with or without a trailing dot or something after a plus."""
    name, _, domain = unicodedata.normalize("NFKC", mail).strip().casefold().rpartition("@")
    return f"{name.partition('+')[0]}@{domain.rstrip('.')}"


def _person(name: PersonId, node: Node, ids: list[PersonId]) -> Person:
    if name == SYSTEM_ACTOR:
        node.fail(f"{SYSTEM_ACTOR!r} is the name under which Sojourn itself is on record", "another id")
    fields = node.fields(*_KEYS, required=("name",))
    kinds = {str(kind): kind for kind in PersonKind}
    person = Person(
        id=name,
        name=fields["name"].text("the person's name"),
        mail=fields["mail"].text("a mail address") if "mail" in fields else "",
        administrator="administrator" in fields and fields["administrator"].boolean(),
        auditor="auditor" in fields and fields["auditor"].boolean(),
        kind=fields["kind"].choice(kinds) if "kind" in fields else PersonKind.HUMAN,
        manager=known_one(fields["manager"], ids, "person") if "manager" in fields else None,
        owner=known_one(fields["owner"], ids, "person") if "owner" in fields else None,
        attributes=pairs(fields["attributes"], "attributes") if "attributes" in fields else (),
        tells=_tells(fields["tells"]) if "tells" in fields else (),
        mandate=_mandate(fields["mandate"]) if "mandate" in fields else None,
        zone=read_zone(fields["zone"]) if "zone" in fields else "",
        workloads=read_workloads(fields["workloads"]) if "workloads" in fields else (),
    )
    if person.manager == name:
        fields["manager"].fail("Nobody is their own manager", "somebody else")
    human = person.kind is PersonKind.HUMAN
    if human and person.owner is not None:
        fields["owner"].fail("A human being has no owner", "an owner for a service or an agent only")
    if not human and person.owner is None:
        node.fail(f"Nobody answers for this {person.kind}", "the key owner, with the id of a human being")
    if not human and (person.administrator or person.auditor):
        node.fail(f"A {person.kind} cannot administer or audit", "a human being for that")
    if person.administrator and person.auditor:
        fields["auditor"].fail("Whoever administers cannot audit", "another human being for the one or the other")
    if human and person.workloads:
        fields["workloads"].fail(
            "A human being signs in, and is no workload", "workloads of a service or an agent only"
        )
    if person.mandate is not None and (not human or person.administrator or person.auditor):
        fields["mandate"].fail("A mandate is for a human being who neither administers nor audits here", "no mandate")
    return person


def _mandate(node: Node) -> Mandate:
    fields = node.fields("until", "targets", required=("until",))
    names = fields["targets"].items("a list of targets") if "targets" in fields else []
    return Mandate(until=fields["until"].moment(), targets=tuple(TargetName(one.name("a target")) for one in names))


def _tells(node: Node) -> tuple[FactKind, ...]:
    kinds = {str(kind): kind for kind in FactKind}
    return once(node, "a list of kinds of facts", lambda one: one.choice(kinds))
