"""The program around the commands: help, errors, exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from sojourn.codes import Exit
from sojourn.errors import Code, Refusal, SojournError

from . import COMMANDS
from .output import escaped, print_error

EPILOGUE = "Every command has --help with examples. Exit codes: docs/reference/cli.md."


def program() -> App:
    """The whole command line."""
    app = App(
        name="sojourn",
        help="Temporary production access, and the proof of it.",
        help_epilogue=EPILOGUE,
        help_format="plaintext",
        version_flags=["--version", "-V"],
    )
    for name, purpose in COMMANDS.items():
        app.command(f"sojourn.cli.{name}:{name}", name=name, help=purpose)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command; gives its exit code. Nothing but an interrupt leaves as an exception."""
    as_json = "--json" in arguments
    try:
        result = program()(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except SojournError as error:
        return print_error(error.refusal, as_json)
    except CycloptsError as error:
        problem = escaped(str(error).strip().splitlines()[0].rstrip("."))
        refusal = Refusal(Code.INPUT_INVALID, {"problem": problem, "expected": "see `sojourn --help`"})
        print_error(refusal, as_json)
        return Exit.USAGE
    except BrokenPipeError:
        sys.stderr.close()
        return Exit.DONE
    except KeyboardInterrupt:
        return 130
    return result if isinstance(result, int) else Exit.DONE
