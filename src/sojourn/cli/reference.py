"""`python -m sojourn.cli.reference DIRECTORY` writes the reference that the code itself knows: commands, API, errors.

A test keeps docs/reference in step with it.
"""

from __future__ import annotations

import dataclasses
import io
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from rich.console import Console

from sojourn.codes import Code, Exit
from sojourn.meanings import CATALOGUE
from sojourn.web import shapes
from sojourn.web.server import ROUTES

from . import COMMANDS
from .program import program

WIDTH = 100
EXITS = {
    "DONE": "It is done.",
    "FAILED": "It was tried and failed.",
    "USAGE": "What was given will not do: a wrong option, name, value or file.",
    "REFUSED": "The rules say no.",
    "UNAUTHENTICATED": "Nobody is signed in, or the sign-in is over.",
    "NOT_FOUND": "There is no such thing, or it is not yours to see.",
    "UNAVAILABLE": "Something that is needed does not answer: Sojourn, its record, or the target. Nothing was done.",
    "CONFLICT": "Things have moved on: it is decided, over, or different from what was shown.",
}
"""What each exit code means."""


def commands_page() -> str:
    """The page of the command line: exit codes, then the help of every command as it prints it."""
    lines = [
        "# Commands",
        "",
        "Every command has `--help` with examples. Client commands share these habits:",
        "",
        "- `--json` prints one JSON object on one line, in ASCII, in the shapes of [the API](api.md). People get text,",
        "  in which characters that could fool a terminal or a reader are shown as `\\u…` escapes.",
        "- An error is a code, a sentence and a next step on standard error (see [the errors](errors.md)). With",
        '  `--json` it is on standard output as well, as `{"error": {"code", "message", "next_step", "details"}}`.',
        "- Secrets are asked for without echo, or read line by line from standard input when that is no terminal.",
        "- Sign-ins are kept in private files below `--client-dir`, one for each person; `--as` says who is meant.",
        "- Passwords and tokens are sent over `https://`, or over `http://` on this machine.",
        "",
        "Environment: `SOJOURN_DATA` (data directory), `SOJOURN_CLIENT_DIR` (sign-ins), `SOJOURN_AS` (who is meant).",
        "",
        "## Exit codes",
        "",
        "| exit code | meaning |",
        "|---|---|",
        *(f"| {getattr(Exit, name)} | {meaning} |" for name, meaning in EXITS.items()),
        "| 130 | Ended by Ctrl-C. |",
        "",
        "`sojourn connect` ends with the exit code of the client that it started.",
    ]
    for name, purpose in COMMANDS.items():
        lines += ["", f"## sojourn {name}", "", purpose, "", "```text", *_help(name), "```"]
    return "\n".join(lines) + "\n"


def _help(name: str) -> list[str]:
    """What `sojourn NAME --help` prints on a terminal of a fixed width, without the common last line."""
    output = io.StringIO()
    console = Console(file=output, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    app = program(name)
    app.help_epilogue = ""
    app.help_print([name], console=console)
    return [line.rstrip() for line in output.getvalue().strip().splitlines()]


def api_page() -> str:
    """The page of the API: every address with what it takes and answers, then the shapes."""
    lines = [
        "# API",
        "",
        "JSON over HTTP, below `/api/v1`. The command line uses nothing else.",
        "",
        "- Who calls is said by `Authorization: Bearer sj_api_…`, a token from `POST /sign-in`. There are no cookies.",
        "- A body is a JSON object (`content-type: application/json`, at most 64 KiB). An unknown field refuses it",
        "  as a whole.",
        "- Times are UTC (RFC 3339). A number says its unit in its name. What does not apply is null, never left out.",
        "- Every answer that is no success is an [ErrorShown](#errorshown), with the HTTP status of its code in",
        "  [the errors](errors.md); an address that does not exist answers 404, a wrong method 405.",
        "- A write is answered only after it can be read back. Every refusal is on record before it is answered.",
        "- Requests that a page of another site makes a browser send are refused.",
        "",
        "## Addresses",
    ]
    for method, path, handler, body in ROUTES:
        lines += ["", f"### {method} {path}", "", _purpose(handler), ""]
        if body is not None:
            fields = msgspec.structs.fields(body)
            taken = ", ".join(f"`{field.name}`" + ("" if field.required else " (optional)") for field in fields)
            lines.append(f"- takes {taken or 'an empty object or nothing'}")
        lines.append(f"- answers {_answered(handler)}")
    lines += ["", "## Shapes"]
    for shape in _shapes():
        lines += ["", f"### {shape.__name__}", "", _flowing(shape.__doc__ or ""), "", "| field | type |", "|---|---|"]
        hints = typing.get_type_hints(shape)
        lines += [f"| `{field.name}` | {_kind(hints[field.name])} |" for field in dataclasses.fields(shape)]
    return "\n".join(lines) + "\n"


def _purpose(handler: Callable[..., object]) -> str:
    text = _flowing(handler.__doc__ or "").partition(": ")[2]
    return text[:1].upper() + text[1:]


def _flowing(text: str) -> str:
    """A docstring as paragraphs, each on one line."""
    paragraphs = "\n".join(line.strip() for line in text.strip().splitlines()).split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)


def _answered(handler: Callable[..., object]) -> str:
    kind = typing.get_type_hints(handler)["return"]
    if dataclasses.is_dataclass(kind):
        return _kind(kind)
    return "an empty object" if kind is type(None) else "`application/zip`"


def _shapes() -> Iterator[type]:
    for shape in vars(shapes).values():
        if isinstance(shape, type) and dataclasses.is_dataclass(shape):
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
    plain = {str: "text", int: "integer", bool: "boolean"}
    return plain.get(hint) or f"[{hint.__name__}](#{hint.__name__.lower()})"


def errors_page() -> str:
    """The page of the errors: every code with what it tells and how it is answered."""
    lines = [
        "# Errors and refusals",
        "",
        "Every error and refusal has a stable code, a sentence and a next step; the command line, the API and the",
        "gateway use the same. In the texts below, a word in braces stands for the case at hand. The exit codes are",
        "explained with [the commands](cli.md#exit-codes).",
        "",
        "| code | HTTP | exit | what it says | what to do |",
        "|---|---|---|---|---|",
    ]
    for code in Code:
        meaning = CATALOGUE[code]
        texts = [text.replace("|", "\\|") for text in (meaning.sentence, meaning.next_step)]
        lines.append(f"| `{code}` | {meaning.http_status} | {meaning.exit_code} | {texts[0]} | {texts[1]} |")
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {"cli.md": commands_page, "api.md": api_page, "errors.md": errors_page}
"""Every generated page and how it is made."""


def main() -> None:
    """Write all pages into the directory that the one argument names."""
    (directory,) = map(Path, sys.argv[1:])
    directory.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (directory / name).write_text(page())


if __name__ == "__main__":
    main()
