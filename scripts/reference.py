"""Writes the parts of docs/reference/ that the code knows best: `python scripts/reference.py` (or `make reference`).

A test compares what stands there with what this says, so neither can drift.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import msgspec
import yaml

from sojourn.cli import COMMANDS, place
from sojourn.codes import Code, Exit
from sojourn.meanings import CATALOGUE
from sojourn.web.api import (
    assurance_shapes,
    auditing_shapes,
    configuration_shapes,
    fact_shapes,
    identity_shapes,
    keeping_shapes,
    overview_shapes,
    policy_shapes,
    proof_shapes,
    sampling_shapes,
    session_shapes,
    shapes,
    span_shapes,
    ssh_shapes,
    standing_shapes,
    target_shapes,
)
from sojourn.web.api.endpoints import ENDPOINTS

REPOSITORY = Path(__file__).resolve().parents[1]
ROOT = REPOSITORY / "docs" / "reference"
SHAPES = (
    shapes,
    session_shapes,
    proof_shapes,
    overview_shapes,
    ssh_shapes,
    assurance_shapes,
    auditing_shapes,
    sampling_shapes,
    standing_shapes,
    keeping_shapes,
    target_shapes,
    configuration_shapes,
    identity_shapes,
    policy_shapes,
    span_shapes,
    fact_shapes,
)
"""Where the shapes of answers are written down."""

EXITS = {
    "DONE": "It is done.",
    "FAILED": "It was tried and failed.",
    "USAGE": "What was given will not do: a wrong option, name, value or file.",
    "REFUSED": "The rules say no.",
    "UNAUTHENTICATED": "Nobody is signed in, or the sign-in is over.",
    "NOT_FOUND": "There is no such thing, or it is not yours to see.",
    "UNAVAILABLE": "Something that is needed does not answer: Sojourn, its record, or the target.",
    "CONFLICT": "Things have moved on: it is decided, over, or different from what was shown.",
}
"""What each exit code means."""


def errors_page() -> str:
    """Every code with what it says, what to do, and the status and exit code that go with it."""
    lines = [
        "# Errors and refusals",
        "",
        "Every error has a code that never changes, a sentence, and a next step. The command line prints them on",
        "standard error and exits with the code in the last column; the API answers them as",
        '`{"error": {"code", "message", "next_step", "details"}}` with the HTTP status; the gateway puts them into the',
        "message and the hint of its own protocol. Every refused attempt is on record too.",
        "",
        "| code | what it says | what to do | HTTP | exit |",
        "|---|---|---|---|---|",
    ]
    for code in Code:
        meaning = CATALOGUE[code]
        cells = (f"`{code}`", meaning.sentence, meaning.next_step, str(meaning.http_status), str(meaning.exit_code))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Every command with its purpose, its options and its examples."""
    codes = [(name, value) for name, value in vars(Exit).items() if name.isupper()]
    lines = [
        "# The command line",
        "",
        "Client commands take `--as PERSON` (or `SOJOURN_AS`) to choose among several sign-ins, `--client-dir` (or",
        "`SOJOURN_CLIENT_DIR`) for where those are kept, and `--json` for scripts: one JSON value on standard output,",
        "in ASCII, in the shapes of [the API](api.md). Without it, characters in other people's text that could fool a",
        "terminal or a reader are shown as escapes. An error is a code, a sentence and a next step on standard error;",
        'with `--json` it is on standard output as well, as `{"error": …}`. Passwords are asked for without echo, or',
        "read from standard input when that is no terminal, and sent over `https://`, or `http://` on this machine.",
        "",
        "| exit code | meaning |",
        "|---|---|",
        *(f"| {value} | {EXITS[name]} |" for name, value in codes),
        "| 130 | Ended by Ctrl-C. |",
        "",
        "`sojourn connect` ends with the exit code of the client that it started.",
    ]
    for name, purpose in COMMANDS.items():
        module, attribute = place(name)
        function = getattr(import_module(module), attribute)
        text = inspect.getdoc(function) or ""
        body, _, parameters = text.partition("Parameters\n----------\n")
        lines += ["", f"## sojourn {name}", "", purpose, ""]
        for paragraph in body.strip().split("\n\n"):
            if paragraph.startswith("Example: "):
                lines += ["```", paragraph.removeprefix("Example: ").replace("\n", " "), "```", ""]
            elif paragraph.rstrip(".") + "." != purpose:
                lines += [paragraph, ""]
        for option, meaning in re.findall(r"^(\w+)\n((?:    .*\n?)+)", parameters, re.MULTILINE):
            lines.append(f"- `{option}`: {' '.join(meaning.split())}")
        while lines[-1] == "":
            lines.pop()
    return "\n".join(lines) + "\n"


def api_page() -> str:
    """Every address with what it does and answers, then the shapes."""
    lines = [
        "# The JSON API",
        "",
        "Everything lies below `/api/v1`. Calls carry `Authorization: Bearer TOKEN` with a token from `POST /sign-in`;",
        "only `/sign-in`, `/enrol` and `/health` need none. A browser that is signed in to the pages may call them",
        "with its session; what a page of another site makes it send is refused. A body is a JSON object of at most",
        "64 KiB, sent as `application/json`; one with an unknown field is refused. What one holds is written down in",
        "`sojourn/web/api/bodies.py`, and in the OpenAPI 3.1 document at `/openapi.json`. A call that changes",
        "something answers when its own effect can be read, and every refusal is on record before it is answered. With",
        "an `Idempotency-Key` (8 to 128 printable characters) it is carried out once: repeated, it gets the same",
        "answer.",
        "A look has an `ETag`. An error is an [ErrorShown](#errorshown) with the HTTP status of its code in",
        "[errors.md](errors.md); an address that does not exist answers 404, and a wrong method 405.",
        "",
        "| call | what it does | who may | what it answers |",
        "|---|---|---|---|",
    ]
    for one in ENDPOINTS:
        purpose = _flowing(one.handler).partition(": ")[2].partition("\n")[0]
        purpose = f"{purpose[:1].upper()}{purpose[1:]}"
        lines.append(
            f"| `{one.method} {one.path}` | {purpose} | {one.permission} | {_answered(one.handler, one.media)} |"
        )
    lines += ["", "Times are UTC (RFC 3339). A number says its unit in its name. What does not apply is null."]
    for shape in _shapes():
        lines += ["", f"### {shape.__name__}", "", _flowing(shape), "", "| field | type |", "|---|---|"]
        hints = typing.get_type_hints(shape)
        lines += [f"| `{field.name}` | {_kind(hints[field.name])} |" for field in dataclasses.fields(shape)]
    return "\n".join(lines) + "\n"


def _flowing(thing: object) -> str:
    """A docstring as paragraphs, each on one line."""
    paragraphs = (inspect.getdoc(thing) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _answered(handler: Callable[..., object], media: str) -> str:
    kind = typing.get_type_hints(handler)["return"]
    if dataclasses.is_dataclass(kind):
        return _kind(kind)
    return "an empty object" if kind is type(None) else f"`{media}`"


def _shapes() -> Iterator[type]:
    for module in SHAPES:
        for shape in vars(module).values():
            if isinstance(shape, type) and dataclasses.is_dataclass(shape) and shape.__module__ == module.__name__:
                yield shape


def _kind(hint: object) -> str:
    """A field's type in JSON's words."""
    arguments = typing.get_args(hint)
    if type(None) in arguments:
        return f"{_kind(arguments[0])} or null"
    if typing.get_origin(hint) is tuple:
        return f"list of {_kind(arguments[0])}"
    if typing.get_origin(hint) is dict:
        return "object of texts"
    assert isinstance(hint, type)
    plain = {str: "text", int: "integer", bool: "boolean", msgspec.Raw: "object"}
    return plain.get(hint) or f"[{hint.__name__}](#{hint.__name__.lower()})"


RESTS_ON = {"rules": "policy.yaml", "separations": "policy.yaml", "teams": "people.yaml", "people": "people.yaml"}
"""What a control may rest on, and in which file of an example it is written."""


def controls_page() -> str:
    """The controls of the example policies, each with the lines and the tests that it rests on.

    Raises LookupError if a control names a rule or a test that does not exist, or if no control names a rule.
    """
    lines = [
        "# Controls",
        "",
        "Wording for a control description, for each of the four policies in",
        "[examples/policies](../../examples/policies). Each control names the lines of policy.yaml and people.yaml",
        "that it rests on, the tests beside the policy that would fail without them (`sojourn policy test`), and the",
        "tests of Sojourn itself for what holds under every policy. Take the wording over together with the lines, and",
        "put your own names, durations and tests in. What is about no request, such as a certification, has no test",
        "beside the policy.",
        "",
        "Under every policy, and so said in none of these: what no rule allows is not allowed; a decision is by",
        "somebody else than the requester; and every decision names the version of the policy that it was made under.",
    ]
    for name, example in yaml.safe_load((REPOSITORY / "scripts" / "controls.yaml").read_text()).items():
        lines += [
            "",
            f"## {example['title']}",
            "",
            f"The policy is [examples/policies/{name}](../../examples/policies/{name}/policy.yaml).",
        ]
        written = {key: _places(name, file, key) for key, file in RESTS_ON.items()}
        places = written["rules"] | written["separations"]
        cases = _places(name, "policy.tests.yaml", "tests")
        named = {
            one for control in example["controls"] for key in ("rules", "separations") for one in control.get(key, ())
        }
        if missing := places.keys() - named:
            raise LookupError(f"no control of {name} names {', '.join(sorted(missing))}")
        for number, control in enumerate(example["controls"], 1):
            lines += ["", f"### {name}-{number}", "", control["says"], ""]
            rests = [f"`{one}` ({written[key][one]})" for key in RESTS_ON for one in control.get(key, ())]
            if not rests:
                raise LookupError(f"control {name}-{number} names no line that it rests on")
            lines.append(f"- lines: {'; '.join(rests)}")
            beside = [f"{one} ({cases[one]})" for one in control.get("tests", ())]
            lines += [f"- tests beside it: {'; '.join(beside)}"] if beside else []
            lines.append(f"- tests of Sojourn: {'; '.join(map(_test, control['code']))}")
    return "\n".join(lines) + "\n"


def _places(example: str, file: str, section: str) -> dict[str, str]:
    """What the section of an example's file holds, each with a link to its lines."""
    path = f"examples/policies/{example}/{file}"
    root = yaml.compose((REPOSITORY / path).read_text())
    found: dict[str, str] = {}
    assert isinstance(root, yaml.MappingNode)
    for part, entries in root.value:
        for key, value in entries.value if part.value == section else ():
            first, last = key.start_mark.line + 1, _last(value)
            lines = f"line {first}" if first == last else f"lines {first} to {last}"
            found[key.value] = f"[{lines}](../../{path}#L{first}-L{last})"
    return found


def _last(node: yaml.Node) -> int:
    """The last line of a node, without the comments that follow it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return node.end_mark.line + 1
    final = node.value[-1]
    return _last(final[1] if isinstance(node, yaml.MappingNode) else final)


def _test(named: str) -> str:
    """A link to a test; raises LookupError if there is none of that name."""
    path, _, name = named.partition("::")
    if f"def {name}(" not in (REPOSITORY / path).read_text():
        raise LookupError(f"there is no test {named}")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../../{path})"


PAGES = {"controls.md": controls_page, "errors.md": errors_page, "cli.md": commands_page, "api.md": api_page}
"""The pages that are written from the code."""

if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / name).write_text(page())
