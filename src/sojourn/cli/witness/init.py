"""sojourn witness init: make a witness."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.witness import init_witness, witness_layout
from sojourn.cli.output import print_json, print_line


def init(*, name: str, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Make a witness with a key of its own, and print the public key that others put into their policies.

    Do this on a machine of another owner than the ledger's: a witness in the same hands proves nothing to an auditor.

    Example: sojourn witness init --data ./witness --name witness.example.com/w1

    Parameters
    ----------
    name
        The witness's name in every cosignature; choose it once. By custom a URL without scheme.
    data
        The witness's directory (default: SOJOURN_WITNESS_DATA, or ~/.local/share/sojourn-witness).
    json
        Print JSON.
    """
    layout = witness_layout(data)
    vkey = init_witness(layout, name).cosigner().vkey()
    if json:
        print_json({"data": str(layout.root), "name": name, "vkey": vkey})
        return
    print_line(vkey)
