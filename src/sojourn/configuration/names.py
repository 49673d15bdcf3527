"""Names, lists and sets of people in the files. Every reference must be known, and nothing is listed twice."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import TypeVar

from sojourn.domain.people import Person, Team
from sojourn.domain.policy import People

from .nodes import Node

ALTERNATIVES_SHOWN = 10
SET_KEYS = ("people", "teams", "attributes", "except")

Name = TypeVar("Name", bound=str)
Value = TypeVar("Value", bound=Hashable)


def known(node: Node, names: Collection[Name], expected: str, what: str) -> tuple[Name, ...]:
    """A list of names, all of them known and none twice."""
    return once(node, expected, lambda one: known_one(one, names, what))


def known_one(node: Node, names: Collection[Name], what: str) -> Name:
    """One name, and it is known."""
    by_text = {str(one): one for one in names}
    name = node.text(f"the name of a {what}")
    if name not in by_text:
        node.fail(f"There is no {what} {name!a}", _alternatives(name, by_text))
    return by_text[name]


def _alternatives(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name.lower(), names, 3)
    if near:
        return " or ".join(near) + " (did you mean that?)"
    if not names:
        return "one that is defined, and none is"
    shown = list(names)[:ALTERNATIVES_SHOWN]
    return "one of " + ", ".join(shown) + (", …" if len(names) > len(shown) else "")


def once(node: Node, expected: str, read: Callable[[Node], Value]) -> tuple[Value, ...]:
    """A list, none of whose values is given twice."""
    found: dict[Value, None] = {}
    for one in node.items(expected):
        value = read(one)
        if value in found:
            one.fail(f"{str(value)!a} is listed twice", "each once")
        found[value] = None
    return tuple(found)


def texts(node: Node, expected: str) -> tuple[str, ...]:
    """A list of texts, none twice."""
    return once(node, expected, lambda one: one.text("a name"))


def some(node: Node, expected: str, read: Callable[[Node], Value]) -> tuple[Value, ...]:
    """A list with something in it, nothing twice."""
    found = once(node, expected, read)
    if not found:
        node.fail("The list is empty", expected)
    return found


def pairs(node: Node, what: str) -> tuple[tuple[str, str], ...]:
    """A mapping of names to texts, in order of the names."""
    return tuple(sorted((name, value.text(f"a text: the {what}'s value")) for name, value in node.named(what).items()))


def choices(node: Node, what: str, held: Collection[tuple[str, str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A mapping of names to lists of values, each of them held by something that is `held`."""
    found = []
    for name, values in node.named(what).items():
        if name not in {key for key, _ in held}:
            node.fail(f"Nothing has the {what[:-1]} {name!a}", _alternatives(name, sorted({key for key, _ in held})))
        there = sorted({value for key, value in held if key == name})
        found.append((name, some(values, "a list of values", lambda one, there=there: known_one(one, there, "value"))))  # type: ignore[misc]
    if not found:
        node.fail("The mapping is empty", f"{what} with their values")
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The people and teams that a set may name."""

    people: tuple[Person, ...]
    teams: tuple[Team, ...]

    def set(self, node: Node, *more: str) -> People:
        """A set of people with somebody in it. `more` are further keys of the same mapping, read elsewhere."""
        fields = node.fields(*SET_KEYS, *more)
        ids, names = [one.id for one in self.people], [one.name for one in self.teams]
        held = {pair for person in self.people for pair in person.attributes}
        without = fields["except"].fields("people", "teams") if "except" in fields else {}
        chosen = People(
            people=known(fields["people"], ids, "a list of people", "person") if "people" in fields else (),
            teams=known(fields["teams"], names, "a list of teams", "team") if "teams" in fields else (),
            attributes=choices(fields["attributes"], "attributes", held) if "attributes" in fields else (),
            except_people=known(without["people"], ids, "a list of people", "person") if "people" in without else (),
            except_teams=known(without["teams"], names, "a list of teams", "team") if "teams" in without else (),
        )
        if not chosen.members(self.teams, self.people):
            node.fail("Nobody is meant", "people or teams with somebody in them")
        return chosen
