"""The program around the commands: help, errors, exit codes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from sojourn.codes import Exit
from sojourn.errors import Code, Refusal, SojournError

from . import COMMANDS, GROUPS, place
from .output import escaped, print_error

EPILOGUE = "Every command has --help with examples. Exit codes: docs/reference/cli.md."


def program(asked: str = "") -> App:
    """The whole command line. The command that is `asked` for tells all about itself, the others their purpose."""
    app = App(
        name="sojourn",
        help="Temporary production access, and the proof of it.",
        help_epilogue=EPILOGUE,
        help_format="plaintext",
        version_flags=["--version", "-V"],
    )
    groups = {name: App(name=name, help=purpose) for name, purpose in GROUPS.items()}
    for command, purpose in COMMANDS.items():
        told = {} if command == asked else {"help": purpose}
        group, _, name = command.rpartition(" ")
        (groups[group] if group else app).command(":".join(place(command)), name=name, **told)
    for one in groups.values():
        app.command(one)
    return app


def _asked(arguments: Sequence[str]) -> str:
    """The command that the arguments begin with, or "" if they name none."""
    return next((" ".join(arguments[:words]) for words in (2, 1) if " ".join(arguments[:words]) in COMMANDS), "")


def run(arguments: Sequence[str]) -> int:
    """Run one command; gives its exit code. Nothing but an interrupt leaves as an exception."""
    # A character that the terminal's encoding cannot say is escaped, and never a reason to fail.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    own = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    as_json = "--json" in own
    try:
        app = program(_asked(own))
        result = app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except SojournError as error:
        return print_error(error.refusal, as_json)
    except CycloptsError as error:
        problem = escaped(str(error).strip().splitlines()[0].rstrip("., "))
        refusal = Refusal(Code.INPUT_INVALID, {"problem": problem, "expected": "see `sojourn --help`"})
        print_error(refusal, as_json)
        return Exit.USAGE
    except BrokenPipeError:
        # Who read our output has gone. What is still buffered must not fail a second time at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except KeyboardInterrupt:
        return 130
    return result if isinstance(result, int) else Exit.DONE
