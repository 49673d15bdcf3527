"""YAML with places: every value knows its file, line and column, and every error names them.

Only plain YAML is read: no anchors, no tags, no duplicate keys, at most 1 MiB, and nested only as deep as a
configuration can be, so that no file takes long to refuse.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml

from sojourn.domain.duration import parse_duration
from sojourn.errors import Code, SojournError

FILE_BYTES_MAX = 1 << 20
DEPTH_MAX = 16
VALUES_MAX = 100_000
TEXT_LENGTH_MAX = 500
TEXT_SHOWN_MAX = 40
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
        for name in found:
            if name not in known:
                near = [one for one in known if one.startswith(name.lower())]
                near = near or difflib.get_close_matches(name.lower(), known, 1)
                hint = f"{near[0]} (did you mean that?)" if near else "one of " + ", ".join(known)
                _key(self, name).fail(f"The key {_short(name)} is not known here", hint)
        for name in required:
            if name not in found:
                self.fail(f"The key {name!r} is missing", f"the keys {', '.join(required)}")
        return found

    def named(self, what: str) -> dict[str, Node]:
        """A mapping from names to values; `what` says of what."""
        found = self.mapping(f"a mapping of {what} by name")
        for name in found:
            if NAME.fullmatch(name) is None:
                _key(self, name).fail(f"{_short(name)} is not usable as a name", NAME_EXPECTED)
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
                place.fail(f"The key {_short(name)} is given twice", "each key once")
            found[name] = Node(self.file, value)
        return found

    @property
    def line(self) -> int:
        """Its line in the file, from 1."""
        return self.yaml.start_mark.line + 1

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.yaml, yaml.SequenceNode)

    def items(self, expected: str) -> list[Node]:
        """A list."""
        if not isinstance(self.yaml, yaml.SequenceNode):
            self.fail(f"Found {_kind(self.yaml)}", expected)
        return [Node(self.file, one) for one in self.yaml.value]

    def text(self, expected: str, longest: int = TEXT_LENGTH_MAX) -> str:
        """Some printable text. Anything that YAML would take for a number, a boolean or nothing has to be quoted."""
        if not isinstance(self.yaml, yaml.ScalarNode) or self.yaml.tag != "tag:yaml.org,2002:str":
            self.fail(f"Found {_kind(self.yaml)}", f"{expected} (put it in quotes if it is one)")
        value = str(self.yaml.value)
        if not value:
            self.fail("Found an empty text", expected)
        if len(value) > longest:
            self.fail(f"Found {len(value)} characters", f"{expected}, at most {longest} characters")
        if not value.isprintable():
            self.fail(f"Found characters that cannot be seen, in {_short(value)}", f"{expected}, in one printable line")
        return value

    def name(self, expected: str) -> str:
        """A name."""
        value = self.text(expected)
        if NAME.fullmatch(value) is None:
            self.fail(f"{_short(value)} is not usable as a name", NAME_EXPECTED)
        return value

    def is_empty_text(self) -> bool:
        """Whether this is `""`."""
        return (
            isinstance(self.yaml, yaml.ScalarNode) and self.yaml.tag == "tag:yaml.org,2002:str" and not self.yaml.value
        )

    def integer(self, low: int, high: int) -> int:
        """A whole number between two bounds, in plain decimal."""
        value = self.yaml.value if isinstance(self.yaml, yaml.ScalarNode) else ""
        expected = f"a whole number from {low} to {high}"
        if self.yaml.tag != "tag:yaml.org,2002:int" or re.fullmatch(r"0|[1-9][0-9]{0,17}", str(value)) is None:
            self.fail(f"Found {_found(self.yaml)}", expected)
        if not low <= int(value) <= high:
            self.fail(f"{value} is out of bounds", expected)
        return int(value)

    def boolean(self) -> bool:
        """`true` or `false`, and none of YAML's other words for them."""
        value = self.yaml.value if isinstance(self.yaml, yaml.ScalarNode) else ""
        if self.yaml.tag != "tag:yaml.org,2002:bool" or value not in ("true", "false"):
            self.fail(f"Found {_found(self.yaml)}", "true or false")
        return bool(value == "true")

    def seconds(self) -> float:
        """A number of seconds above zero, with or without a fraction."""
        value = self.yaml.value if isinstance(self.yaml, yaml.ScalarNode) else ""
        if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", str(value)) is None or float(value) <= 0:
            self.fail(f"Found {_found(self.yaml)}", "a number of seconds above zero")
        return float(value)

    def duration(self) -> timedelta:
        """A duration such as `30m`."""
        if not isinstance(self.yaml, yaml.ScalarNode):
            self.fail(f"Found {_kind(self.yaml)}", "a duration such as 30m")
        try:
            return parse_duration(str(self.yaml.value))
        except ValueError:
            expected = (
                "a duration: a whole number above zero and s, m, h or d, such as 90s, 30m, 2h or 1d; 366d at most"
            )
            self.fail(f"Found {_found(self.yaml)}", expected)

    def clock(self) -> int:
        """A time of day such as `09:00`, as minutes from midnight; `24:00` is the end of the day."""
        value = str(self.yaml.value) if isinstance(self.yaml, yaml.ScalarNode) else ""
        shape = re.fullmatch(r"([01][0-9]|2[0-4]):([0-5][0-9])", value, re.ASCII)
        if shape is None or value > "24:00":
            self.fail(f"Found {_found(self.yaml)}", "a time of day from 00:00 to 24:00, such as 09:30")
        return int(shape[1]) * 60 + int(shape[2])

    def moment(self) -> datetime:
        """A moment with its offset from UTC, such as `2026-03-02T10:00:00+01:00`, as UTC."""
        value = str(self.yaml.value) if isinstance(self.yaml, yaml.ScalarNode) else ""
        expected = "a moment with its offset, such as 2026-03-02T10:00:00+01:00 or 2026-03-02T09:00:00Z"
        try:
            found = datetime.fromisoformat(value)
            if found.utcoffset() is None:
                self.fail(f"Found {_found(self.yaml)}", expected)
            return found.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"Found {_found(self.yaml)}", expected)

    def choice(self, options: Mapping[str, T]) -> T:
        """One of a few words."""
        value = self.yaml.value if isinstance(self.yaml, yaml.ScalarNode) else None
        if value is None or value not in options:
            self.fail(f"Found {_found(self.yaml)}", "one of " + ", ".join(options))
        return options[value]


def _key(mapping: Node, name: str) -> Node:
    assert isinstance(mapping.yaml, yaml.MappingNode)
    return next(Node(mapping.file, key) for key, _ in mapping.yaml.value if key.value == name)


def _short(text: str) -> str:
    """What was written, quoted, escaped and never long."""
    return ascii(text) if len(text) <= TEXT_SHOWN_MAX else ascii(text[:TEXT_SHOWN_MAX]) + "…"


def _found(node: yaml.Node) -> str:
    """What stands there, in words of a person who reads the file."""
    return f"{_kind(node)} {_short(str(node.value))}" if isinstance(node, yaml.ScalarNode) else _kind(node)


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
    content = read_bytes(path)
    return read_document(path.name, content), content


def read_document(file: str, content: bytes | None) -> Node:
    """The one document that the content of `file` holds; None stands for a file that is not there.

    Raises SojournError `configuration.missing` or `configuration.invalid`.
    """
    if content is None:
        raise SojournError(Code.CONFIGURATION_MISSING, file=file)
    root = compose(file, content)
    if root is None:
        raise invalid(file, 0, 0, "The file is empty", "its keys, as in the examples of `sojourn init`")
    return root


def read_bytes(path: Path) -> bytes:
    """A file's bytes, at most 1 MiB. Raises SojournError `configuration.missing` or `configuration.invalid`."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise SojournError(Code.CONFIGURATION_MISSING, file=str(path)) from error
    if len(content) > FILE_BYTES_MAX:
        raise invalid(path.name, 0, 0, "The file is too large", f"at most {FILE_BYTES_MAX} bytes")
    return content


def compose(file: str, content: bytes) -> Node | None:
    """The one document that `content` holds, or None if there is none. Raises SojournError `configuration.invalid`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(content[: error.start].decode())
        raise invalid(file, line, column, "The file is not UTF-8", "UTF-8 text") from error
    try:
        _check_plain(file, text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        assert mark is not None, "a parser's error has a place"
        raise invalid(file, mark.line, mark.column, *_explained(error.problem or "it is not YAML")) from error
    except yaml.reader.ReaderError as error:
        line, column = _place(text[: error.position])
        problem = f"The character U+{ord(text[error.position]):04X} may not stand in a file"
        raise invalid(file, line, column, problem, "printable text") from error
    except (OverflowError, ValueError) as error:
        # PyYAML hands the number of an escape such as "\U99999999" straight to chr().
        raise invalid(file, 0, 0, "An escape in quotes names no character", "a character that exists") from error
    return None if node is None else Node(file, node)


def _check_plain(file: str, text: str) -> None:
    """Refuse what we never read, while parsing and before anything is built from it."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        mark = event.start_mark
        assert mark is not None, "what was parsed has a place"
        if isinstance(event, yaml.NodeEvent) and (event.anchor is not None or getattr(event, "tag", None) is not None):
            raise invalid(file, mark.line, mark.column, "Anchors, aliases and tags are not read", "plain values")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_MAX:
            raise invalid(file, mark.line, mark.column, "It is nested too deeply", f"at most {DEPTH_MAX} levels")
        if count > VALUES_MAX:
            raise invalid(file, mark.line, mark.column, "The file has too many values", f"at most {VALUES_MAX}")


def _explained(problem: str) -> tuple[str, str]:
    """What PyYAML's scanner and parser say, as a problem and what was expected instead."""
    if "\\t" in problem:
        return "A tab stands where only spaces may", "spaces for indentation"
    if "another document" in problem:
        return "A second document begins", "one document in each file"
    return ascii(problem)[1:-1].capitalize(), "YAML; look at the indentation, the colons and the quotes"


def _place(before: str) -> tuple[int, int]:
    """Line and column, from 0, of what comes after `before`."""
    return before.count("\n"), len(before) - before.rfind("\n") - 1


def _kind(node: yaml.Node) -> str:
    match node:
        case yaml.MappingNode():
            return "a mapping"
        case yaml.SequenceNode():
            return "a list"
        case _:
            words = {"int": "a number", "float": "a number", "bool": "a boolean", "null": "nothing"}
            return words.get(node.tag.rpartition(":")[2], "text")
