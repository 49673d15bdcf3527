"""sojourn policy test: try the tests that lie beside the policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.output import print_json, print_line
from sojourn.codes import Exit
from sojourn.configuration import CASES_FILE, read_cases, read_catalogue
from sojourn.domain.policy.cases import try_case
from sojourn.errors import Code, SojournError

from .source import files_of


def test(files: Path | None = None, *, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Ask the policy every question of policy.tests.yaml and compare the answers. Exits with 1 if one is otherwise.

    Example: sojourn policy test ./config

    Parameters
    ----------
    files
        The directory of the files (default: the configuration of the data directory).
    json
        Print JSON.
    """
    directory = files_of(files)
    catalogue, _ = read_catalogue(directory)
    cases = read_cases(directory, catalogue)
    if not cases:
        raise SojournError(Code.CONFIGURATION_MISSING, file=str(directory / CASES_FILE))
    policy = catalogue.policy()
    outcomes = [try_case(policy, case) for case in cases]
    failed = [one for one in outcomes if not one.holds]
    if json:
        told = [
            {"name": one.case.name, "line": one.case.line, "holds": one.holds, "problems": one.problems}
            for one in outcomes
        ]
        print_json({"ok": not failed, "tests": told})
    else:
        for one in failed:
            print_line(f"{CASES_FILE}:{one.case.line}: {one.case.name}")
            for problem in one.problems:
                print_line(f"    {problem}")
            print_line(f"    because: {one.explanation}")
        print_line(f"{len(outcomes)} tests, {len(failed)} failed.")
    return Exit.FAILED if failed else Exit.DONE
