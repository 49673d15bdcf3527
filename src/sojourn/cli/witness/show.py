"""sojourn witness show: what a witness has cosigned."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.witness import witness_layout
from sojourn.cli.output import print_json, print_line, print_table
from sojourn.witness.evidence import listed
from sojourn.witness.layout import known_logs, read_key
from sojourn.witness.store import Store


def show(*, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Show the witness's key, and for each ledger the newest checkpoint that it has cosigned and when.

    Example: sojourn witness show --data ./witness

    Parameters
    ----------
    data
        The witness's directory (default: SOJOURN_WITNESS_DATA, or ~/.local/share/sojourn-witness).
    json
        Print JSON, with the cosigned checkpoints themselves.
    """
    layout = witness_layout(data)
    vkey = read_key(layout).cosigner().vkey()
    store = Store(layout.database, read_only=True)
    latest = {one.origin: one for one in store.all()}
    store.close()
    contradictions = [one.origin for one in listed(layout.evidence)]
    logs = [
        {
            "origin": origin,
            "vkeys": [verifier.vkey() for verifier in verifiers],
            "size": one.size if one else None,
            "cosigned_at": datetime.fromtimestamp(one.seconds, UTC).isoformat() if one else None,
            "contradictions": contradictions.count(origin),
            "checkpoint": one.note if one else None,
        }
        for origin, verifiers in known_logs(layout).items()
        for one in [latest.get(origin)]
    ]
    if json:
        print_json({"vkey": vkey, "logs": logs})
        return
    print_line(vkey)
    print_table(logs, ("origin", "size", "cosigned_at", "contradictions"), empty="It knows no ledger yet.")
