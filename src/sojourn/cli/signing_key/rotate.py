"""sojourn signing-key rotate: begin to change the key that signs the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.app.installation import lay_out
from sojourn.app.rotating import rotate as begin
from sojourn.cli.output import print_json, print_line


def rotate(*, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Begin to change the key that signs the ledger, while Sojourn is stopped.

    The new key is the one at `scribe.next_signing_key`; one in a file is made here. From the next start on both keys
    sign, and the change is on record, signed by both. `sojourn signing-key finish` ends that.

    Example: sojourn signing-key rotate --data ./sojourn

    Parameters
    ----------
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    layout = lay_out(data or environment().data_directory)
    begun = begin(layout)
    if json:
        print_json({"old": begun.old.vkey(), "new": begun.new.vkey()})
        return
    print_line(f"new key  {begun.new.vkey()}")
    print_line(f"         (in {layout.next_verifier_key})")
    print_line("Give it to each witness (sojourn witness add-log) and to your auditors. Then start Sojourn.")
