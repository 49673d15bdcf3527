"""sojourn audit replay: prove that the read models are what the ledger says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.app.installation import lay_out
from sojourn.app.replay import Replayed
from sojourn.app.replay import replay as run
from sojourn.cli.output import print_json, print_line, print_table
from sojourn.codes import Exit


def replay(*, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Fold the whole ledger into fresh read models, and compare those in use with them, row by row.

    Lists, searches and pages read from read models. This proves that they show what is on record and nothing else. It
    changes nothing, and works whether Sojourn runs or not. If they differ, find out who wrote to projections.db; then
    stop Sojourn, remove that file and start it again: the read models are folded anew. Exit code 1 on a difference.

    Example: sojourn audit replay --data ./sojourn

    Parameters
    ----------
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    result = run(lay_out(data or environment().data_directory))
    if json:
        print_json({"identical": result.identical, **msgspec.to_builtins(result)})
    else:
        _show(result)
    return Exit.DONE if result.identical else Exit.FAILED


def _show(result: Replayed) -> None:
    rows = [
        {
            "table": one.table,
            "in use": one.in_use,
            "folded": one.folded,
            "": "equal" if one.same else one.problem or f"{one.differing} DIFFER",
        }
        for one in result.tables
    ]
    print_table(rows, ["table", "in use", "folded", ""], empty="")
    for table in result.tables:
        for row in table.rows:
            print_line()
            print_line(f"{table.table} {', '.join(map(str, row.key))}")
            print_line(f"  in use  {_values(row.in_use)}")
            print_line(f"  ledger  {_values(row.folded)}")
    print_line()
    if result.problem:
        print_line(f"About the read models in use: {result.problem}.")
    verdict = "are what the ledger says" if result.identical else "are NOT what the ledger says"
    print_line(f"Folded {result.entries} of {result.size} entries: the read models in use {verdict}.")


def _values(row: dict[str, object] | None) -> str:
    return "no such row" if row is None else ", ".join(f"{name}={value!r}" for name, value in row.items())
