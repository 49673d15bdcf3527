"""sojourn policy check: read the files, and say what is wrong or remarkable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.output import print_json, print_line
from sojourn.codes import Exit
from sojourn.configuration import read_catalogue, read_settings
from sojourn.domain.policy.findings import find

from .source import files_of


def check(files: Path | None = None, *, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Read people, targets, policy and settings, and tell every fault and everything that lets through.

    Faults are rules that can never apply, that change nothing beside others, that somebody could never be approved
    under, or whose use nobody could review. Notices name what is decided by nobody. Exits with 1 if there is a fault.

    Example: sojourn policy check ./config

    Parameters
    ----------
    files
        The directory of the files (default: the configuration of the data directory).
    json
        Print JSON.
    """
    directory = files_of(files)
    catalogue, _ = read_catalogue(directory)
    read_settings(directory)
    found = find(catalogue)
    faults = [one for one in found if one.fault]
    if json:
        findings = [{"finding": one.finding, "fault": one.fault, "rule": one.rule, "text": one.text} for one in found]
        print_json({"ok": not faults, "rules": len(catalogue.rules), "findings": findings})
    else:
        for one in found:
            place = f" {one.rule}" if one.rule else ""
            print_line(f"{'fault' if one.fault else 'notice'}{place}: {one.finding}: {one.text}")
        print_line(f"{len(catalogue.rules)} rules, {len(faults)} faults, {len(found) - len(faults)} notices.")
    return Exit.FAILED if faults else Exit.DONE
