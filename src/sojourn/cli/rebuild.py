"""sojourn rebuild: fold the read models anew, and prove that nothing changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.app.installation import lay_out
from sojourn.app.offline import rebuild as run
from sojourn.codes import Exit

from .output import print_json, print_line


def rebuild(*, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Fold the whole ledger into fresh read models and compare them with those in use.

    The installation has to be running. If they differ, stop it, remove projections.db and start it again: the read
    models are then folded anew.

    Example: sojourn rebuild --data ./sojourn

    Parameters
    ----------
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    result = run(lay_out(data or environment().data_directory))
    if json:
        print_json(result)
    else:
        same = "identical to" if result["identical"] else "DIFFERENT FROM"
        print_line(f"Folded {result['entries']} entries: the result is {same} the read models in use.")
    return Exit.DONE if result["identical"] else Exit.FAILED
