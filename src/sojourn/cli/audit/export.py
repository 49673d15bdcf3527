"""sojourn audit export: the complete copy of the ledger that anybody can verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from sojourn.app.exporting import export as run
from sojourn.cli.output import print_fields, print_json, print_line

from .printing import layout_of


def export(*, to: Path, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Write everything that is signed into a folder, as static files that anybody who has the key can verify.

    The files are a log in the format C2SP tlog-tiles: a checkpoint, tiles, entries, and the attachments that entries
    name. What is sealed is in them as commitments. Works whether Sojourn runs or not. Exported again to the same
    folder, it adds what has come. Give the key (ledger.vkey) by another way.

    Example: sojourn audit export --to /media/audit/2026

    Parameters
    ----------
    to
        A new folder, or one with an earlier export of this ledger.
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    result = run(layout_of(data), to)
    if json:
        print_json(msgspec.to_builtins(result))
        return
    print_fields(msgspec.to_builtins(result))
    if result.unsigned:
        print_line(f"{result.unsigned} entries are not signed yet and not in it: export again in a moment.")
