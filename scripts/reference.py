"""Writes the parts of docs/reference/ that the code knows best: `python scripts/reference.py` (or `make reference`).

A test compares what stands there with what this says, so neither can drift.
"""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

from sojourn.cli import COMMANDS
from sojourn.codes import Code, Exit
from sojourn.meanings import CATALOGUE
from sojourn.web.server import ROUTES

ROOT = Path(__file__).resolve().parents[1] / "docs" / "reference"


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
        "`SOJOURN_CLIENT_DIR`) for where those are kept, and `--json` for scripts: one JSON value on standard output.",
        "Text of other people is printed with control characters as escapes.",
        "",
        "| exit code | meaning |",
        "|---|---|",
        *(f"| {value} | {name.lower().replace('_', ' ')} |" for name, value in codes),
    ]
    for name, purpose in COMMANDS.items():
        function = getattr(import_module(f"sojourn.cli.{name}"), name)
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
    """Every route with what it does."""
    lines = [
        "# The JSON API",
        "",
        "Everything lies below `/api/v1`. Calls carry `Authorization: Bearer TOKEN` with a token from `POST /sign-in`;",
        "only `/sign-in`, `/enrol` and `/health` need none. Bodies and answers are JSON; a body with an unknown field",
        "is refused. What a body holds and what an answer holds is written down in `sojourn/web/bodies.py` and",
        "`sojourn/web/shapes.py`. A call that changes something answers when its own effect can be read. Errors are in",
        "[errors.md](errors.md).",
        "",
        "| call | what it does |",
        "|---|---|",
    ]
    for method, path, handler in ROUTES:
        purpose = " ".join((inspect.getdoc(handler) or "").partition(": ")[2].split())
        lines.append(f"| `{method} {path}` | {purpose[:1].upper()}{purpose[1:]} |")
    return "\n".join(lines) + "\n"


PAGES = {"errors.md": errors_page, "cli.md": commands_page, "api.md": api_page}
"""The pages that are written from the code."""

if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / name).write_text(page())
