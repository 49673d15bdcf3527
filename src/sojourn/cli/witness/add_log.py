"""sojourn witness add-log: cosign for one more ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.witness import witness_layout
from sojourn.cli.output import print_json, print_line
from sojourn.errors import Code, SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.witness.layout import add_log as add


def add_log(vkey: str, *, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Cosign the checkpoints of a ledger from now on. A witness that is running sees it at once.

    A ledger whose key is being changed has two keys for a while; add the second one as well.

    Example: sojourn witness add-log "$(cat ledger.vkey)" --data ./witness

    Parameters
    ----------
    vkey
        The ledger's public key, as in its file ledger.vkey.
    data
        The witness's directory (default: SOJOURN_WITNESS_DATA, or ~/.local/share/sojourn-witness).
    json
        Print JSON.
    """
    try:
        verifier = Verifier.parse(vkey)
    except LedgerError as error:
        raise SojournError(
            Code.INPUT_INVALID, problem=str(error).rstrip("."), expected="the text in the ledger's file ledger.vkey"
        ) from error
    added = add(witness_layout(data), verifier)
    if json:
        print_json({"origin": verifier.name, "added": added})
        return
    print_line(f"{verifier.name} is cosigned from now on." if added else f"{verifier.name} was known with this key.")
