"""sojourn init: write commented examples of every file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.app.installation import lay_out
from sojourn.configuration import write_examples

from .output import print_json, print_line


def init(*, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Make a data directory with commented examples of people, targets, policy and settings.

    Example: sojourn init --data ./sojourn

    Parameters
    ----------
    data
        The directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    layout = lay_out(data or environment().data_directory)
    layout.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_examples(layout.configuration)
    if json:
        print_json({"data": str(layout.root), "configuration": str(layout.configuration)})
        return
    print_line(f"Wrote examples into {layout.configuration}.")
    print_line("Edit people.yaml, targets.yaml and policy.yaml, put the target's password into secrets/, then run")
    print_line(f"  sojourn serve --data {layout.root}")
