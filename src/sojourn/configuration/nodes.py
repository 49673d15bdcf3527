"""YAML with places: every value knows its file, line and column, and every error names them.

Only plain YAML is read: no anchors, no tags, no duplicate keys, at most 1 MiB.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml

from sojourn.domain.duration import parse_duration
from sojourn.errors import Code, SojournError

FILE_BYTES_MAX = 1 << 20
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
NAME_EXPECTED = "a name of lower-case letters, digits, '_', '.' and '-', at most 64"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """One value in a file."""

    file: str
    yaml: yaml.Node

    def fail(self, problem: str, expected: str) -> NoReturn:
        """Raise SojournError `configuration.invalid` at this place."""
        mark = self.yaml.start_mark
        raise invalid(self.file, mark.line, mark.column, problem, expected)

    def fields(self, *known: str, required: tuple[str, ...] = ()) -> dict[str, Node]:
        """A mapping of which only the `known` keys may be there, and the `required` ones must be."""
        found = self.mapping("a mapping with the keys " + ", ".join(known))
        for name, node in found.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"{near[0]} (did you mean that?)" if near else "one of " + ", ".join(known)
                _key(self, name).fail(f"The key {name!r} is not known here", hint)
            del node
        for name in required:
            if name not in found:
                self.fail(f"The key {name!r} is missing", f"the keys {', '.join(required)}")
        return found

    def named(self, what: str) -> dict[str, Node]:
        """A mapping from names to values; `what` says of what."""
        found = self.mapping(f"a mapping of {what} by name")
        for name in found:
            if NAME.fullmatch(name) is None:
                _key(self, name).fail(f"{name!r} is not usable as a name", NAME_EXPECTED)
        return found

    def mapping(self, expected: str) -> dict[str, Node]:
        """Any mapping with text keys, each given once."""
        if not isinstance(self.yaml, yaml.MappingNode):
            self.fail(f"Found {_kind(self.yaml)}", expected)
        found: dict[str, Node] = {}
        for key, value in self.yaml.value:
            place = Node(self.file, key)
            name = place.text("a key")
            if name in found:
                place.fail(f"The key {name!r} is given twice", "each key once")
            found[name] = Node(self.file, value)
        return found

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.yaml, yaml.SequenceNode)

    def items(self, expected: str) -> list[Node]:
        """A list."""
        if not isinstance(self.yaml, yaml.SequenceNode):
            self.fail(f"Found {_kind(self.yaml)}", expected)
        return [Node(self.file, one) for one in self.yaml.value]

    def text(self, expected: str) -> str:
        """Text. Anything that YAML would take for a number, a boolean or nothing has to be quoted."""
        if not isinstance(self.yaml, yaml.ScalarNode) or self.yaml.tag != "tag:yaml.org,2002:str":
            self.fail(f"Found {_kind(self.yaml)}", f"{expected} (put it in quotes if it is one)")
        return str(self.yaml.value)

    def name(self, expected: str) -> str:
        """A name."""
        value = self.text(expected)
        if NAME.fullmatch(value) is None:
            self.fail(f"{value!r} is not usable as a name", NAME_EXPECTED)
        return value

    def integer(self, low: int, high: int) -> int:
        """A whole number between two bounds, in plain decimal."""
        value = self.yaml.value if isinstance(self.yaml, yaml.ScalarNode) else ""
        expected = f"a whole number from {low} to {high}"
        if self.yaml.tag != "tag:yaml.org,2002:int" or re.fullmatch(r"0|[1-9][0-9]{0,17}", str(value)) is None:
            self.fail(f"Found {_kind(self.yaml)} {str(value)[:40]!r}", expected)
        if not low <= int(value) <= high:
            self.fail(f"{value} is out of bounds", expected)
        return int(value)

    def boolean(self) -> bool:
        """`true` or `false`, and none of YAML's other words for them."""
        value = self.yaml.value if isinstance(self.yaml, yaml.ScalarNode) else ""
        if self.yaml.tag != "tag:yaml.org,2002:bool" or value not in ("true", "false"):
            self.fail(f"Found {str(value)[:40]!r}", "true or false")
        return bool(value == "true")

    def seconds(self) -> float:
        """A number of seconds above zero, with or without a fraction."""
        value = self.yaml.value if isinstance(self.yaml, yaml.ScalarNode) else ""
        if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", str(value)) is None or float(value) <= 0:
            self.fail(f"Found {str(value)[:40]!r}", "a number of seconds above zero")
        return float(value)

    def duration(self) -> timedelta:
        """A duration such as `30m`."""
        if not isinstance(self.yaml, yaml.ScalarNode):
            self.fail(f"Found {_kind(self.yaml)}", "a duration such as 30m")
        try:
            return parse_duration(str(self.yaml.value))
        except ValueError as error:
            self.fail(str(error).capitalize(), "a duration such as 90s, 30m, 2h or 1d")

    def choice(self, options: Mapping[str, T]) -> T:
        """One of a few words."""
        value = self.yaml.value if isinstance(self.yaml, yaml.ScalarNode) else _kind(self.yaml)
        if str(value) not in options:
            self.fail(f"Found {str(value)[:40]!r}", "one of " + ", ".join(options))
        return options[str(value)]


def _key(mapping: Node, name: str) -> Node:
    assert isinstance(mapping.yaml, yaml.MappingNode)
    return next(Node(mapping.file, key) for key, _ in mapping.yaml.value if key.value == name)


def invalid(file: str, line: int, column: int, problem: str, expected: str) -> SojournError:
    """The error at a place of a file; `line` and `column` count from 0."""
    return SojournError(
        Code.CONFIGURATION_INVALID,
        file=file,
        line=str(line + 1),
        column=str(column + 1),
        problem=problem,
        expected=expected,
    )


def read_file(path: Path) -> tuple[Node, bytes]:
    """The one document of a file, and the file's bytes.

    Raises SojournError `configuration.missing` or `configuration.invalid`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SojournError(Code.CONFIGURATION_MISSING, file=str(path)) from error
    if len(content) > FILE_BYTES_MAX:
        raise invalid(path.name, 0, 0, f"The file has {len(content)} bytes", f"at most {FILE_BYTES_MAX}")
    return Node(path.name, _compose(path.name, content)), content


def _compose(file: str, content: bytes) -> yaml.Node:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n")
        raise invalid(file, line, 0, "The file is not UTF-8", "UTF-8 text") from error
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            anchor = getattr(event, "anchor", None)
            tag = getattr(event, "tag", None)
            mark = event.start_mark
            if mark is not None and (anchor or (tag is not None and not getattr(event, "implicit", False))):
                raise invalid(file, mark.line, mark.column, "Anchors, aliases and tags are not read", "plain values")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark is not None else (0, 0)
        raise invalid(file, line, column, (error.problem or "It is not YAML").capitalize(), "YAML") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problem = str(error).splitlines()[0] if str(error) else "It is nested too deeply"
        raise invalid(file, 0, 0, problem.capitalize(), "YAML") from error
    if node is None:
        raise invalid(file, 0, 0, "The file is empty", "its keys, as in the examples of `sojourn init`")
    return node


def _kind(node: yaml.Node) -> str:
    match node:
        case yaml.MappingNode():
            return "a mapping"
        case yaml.SequenceNode():
            return "a list"
        case _:
            words = {"int": "a number", "float": "a number", "bool": "a boolean", "null": "nothing"}
            return words.get(node.tag.rpartition(":")[2], "text")
