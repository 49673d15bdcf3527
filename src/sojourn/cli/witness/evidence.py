"""sojourn witness evidence: the contradictions that a witness was shown."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.witness import witness_layout
from sojourn.cli.output import print_json, print_line, print_table
from sojourn.codes import Exit
from sojourn.witness.evidence import listed
from sojourn.witness.layout import read_key


def evidence(*, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """List what contradicts what was cosigned: forks, rollbacks and proofs that do not hold. Exits with 1 if any.

    A fork proves by itself that the ledger's key signed two histories. A rollback or an inconsistent checkpoint has
    to be explained by the ledger's owner with a consistency proof.

    Example: sojourn witness evidence --data ./witness

    Parameters
    ----------
    data
        The witness's directory (default: SOJOURN_WITNESS_DATA, or ~/.local/share/sojourn-witness).
    json
        Print JSON.
    """
    layout = witness_layout(data)
    read_key(layout)
    found = [asdict(one) for one in listed(layout.evidence)]
    if json:
        print_json({"directory": str(layout.evidence), "evidence": found})
    else:
        print_table(
            found,
            ("at", "kind", "origin", "held_size", "offered_size", "folder"),
            empty="It was shown no contradiction.",
        )
        if found:
            print_line(f"Each is a folder in {layout.evidence}: held, offered, proof, about.json.")
    return Exit.FAILED if found else Exit.DONE
