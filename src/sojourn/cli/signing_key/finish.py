"""sojourn signing-key finish: let the new key sign alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.app.installation import lay_out
from sojourn.app.rotating import finish as end
from sojourn.cli.output import escaped, print_json, print_line


def finish(*, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Let the new key sign alone from the next start on, while Sojourn is stopped.

    It is refused while a copy of the ledger or a witness has only what the old key signed. An old key in a file is
    deleted.

    Example: sojourn signing-key finish --data ./sojourn

    Parameters
    ----------
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    layout = lay_out(data or environment().data_directory)
    finished = end(layout, lambda line: sys.stderr.write(f"{escaped(line)}\n"))
    if json:
        print_json({"new": finished.new.vkey(), "signing_key": finished.address})
        return
    print_line(f"{finished.new.vkey()} signs alone from the next start on.")
    if finished.address != finished.before:
        print_line(f"Before it, set scribe.signing_key to {finished.address} and take scribe.next_signing_key out;")
        print_line("rename config/secrets/next_signing_key to signing_key, if there is one.")
