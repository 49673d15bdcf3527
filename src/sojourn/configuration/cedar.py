"""A policy said in Cedar (version 4), for whether somebody may ask: one permit and one forbid for each rule.

- A rule applies where its scope and its conditions hold and no rule that is instead of it applies: `permit`.
- Whoever asks for longer than an applying rule allows may not: `forbid`. In Cedar a forbid wins over every permit, so
  all rules that apply count, as they do here.
- Who decides, and what has to be given, is no question of permit or forbid, and is not said.

Cedar knows no time zones: whoever asks says in `context.hours_open` which rules' hours are open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.policy import Duty, People, Rule, Separation

HEAD = (
    "// principal: Person, in Teams. action: any. resource: Target.",
    "// context: role (String), seconds (Long), break_glass, incident, on_call (Bool),",
    "// hours_open (Set<String>): the rules of which a calendar window is open now.",
)


def policies(catalogue: Catalogue, removed: frozenset[tuple[str, str, str]] = frozenset()) -> str:
    """The rules, the separations that bar from asking, and what was `removed`: (person, target, role)."""
    own = {rule.name: _own(rule) for rule in catalogue.rules}
    said = list(HEAD)
    for rule in catalogue.rules:
        instead = [own[other.name] for other in catalogue.rules if rule.name in other.instead_of]
        applies = _all([own[rule.name], *(f"!({one})" for one in instead)])
        seconds = int(rule.longest.total_seconds())
        said.append(f"// {rule.name}")
        said.append(f"permit(principal, action, resource) when {{ {applies} }};")
        said.append(f"forbid(principal, action, resource) when {{ {applies} && context.seconds > {seconds} }};")
    if _bars_administrators(catalogue.separations):
        said.append("forbid(principal, action, resource) when { principal has known && principal.administrator };")
    for person, target, role in sorted(removed):
        scope = f"principal == Person::{_text(person)}, action, resource == Target::{_text(target)}"
        said.append(f"forbid({scope}) when {{ context.role == {_text(role)} }};")
    return "\n".join(said)


def entities(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Everybody with their teams and attributes, and every target with its labels and roles."""
    people = [
        {
            "uid": _entity("Person", person.id),
            "attrs": {"administrator": person.administrator, "known": True, "attributes": dict(person.attributes)},
            "parents": [_entity("Team", team.name) for team in catalogue.teams if person.id in team.members],
        }
        for person in catalogue.people
    ]
    targets = [
        {
            "uid": _entity("Target", target.name),
            "attrs": {"labels": dict(target.labels), "roles": [role.name for role in target.roles]},
            "parents": [],
        }
        for target in catalogue.targets
    ]
    return people + targets


def _own(rule: Rule) -> str:
    """Whether the rule's own scope and conditions hold."""
    glass = rule.break_glass is not None
    parts = [_people(rule.who), _target(rule), "resource.roles.contains(context.role)"]
    parts.append(_any(f"context.role == {_text(role)}" for role in rule.roles))
    parts.append("context.break_glass" if glass else "!context.break_glass")
    if rule.when.windows:
        parts.append(f"context.hours_open.contains({_text(rule.name)})")
    if rule.when.incident:
        parts.append("context.incident")
    if rule.when.on_call:
        parts.append("context.on_call")
    if rule.when.longer_than is not None:
        parts.append(f"context.seconds > {int(rule.when.longer_than.total_seconds())}")
    return _all(parts)


def _people(who: People) -> str:
    named = [f"principal == Person::{_text(one)}" for one in who.people]
    named += [f"principal in Team::{_text(one)}" for one in who.teams]
    out = [f"principal == Person::{_text(one)}" for one in who.except_people]
    out += [f"principal in Team::{_text(one)}" for one in who.except_teams]
    parts = ["principal has known"]
    if named or not who.attributes:
        parts.append(_any(named))
    parts += [_one_of("principal.attributes", name, values) for name, values in who.attributes]
    return _all([*parts, f"!({_any(out)})"])


def _target(rule: Rule) -> str:
    ways = [f"resource == Target::{_text(one)}" for one in rule.targets]
    if rule.labels:
        ways.append(_all(_one_of("resource.labels", name, values) for name, values in rule.labels))
    return _any(ways)


def _one_of(held: str, name: str, values: Iterable[str]) -> str:
    listed = ", ".join(map(_text, values))
    return f"({held} has {_text(name)} && [{listed}].contains({held}[{_text(name)}]))"


def _bars_administrators(separations: Iterable[Separation]) -> bool:
    return any(
        Duty.ADMINISTER in one.apart and not {Duty.REQUEST, Duty.EXECUTE}.isdisjoint(one.apart) for one in separations
    )


def _entity(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def _text(text: str) -> str:
    """A string; what is printable is escaped as in JSON."""
    return json.dumps(text, ensure_ascii=False)


def _all(parts: Iterable[str]) -> str:
    return " && ".join(f"({part})" for part in parts) or "true"


def _any(parts: Iterable[str]) -> str:
    return " || ".join(f"({part})" for part in parts) or "false"
