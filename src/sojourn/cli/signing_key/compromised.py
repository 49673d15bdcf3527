"""sojourn signing-key compromised: begin a new ledger, since the key of this one may be in other hands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.app.compromised import begin_anew
from sojourn.app.installation import lay_out
from sojourn.cli.output import print_json, print_line


def compromised(
    new: Path,
    *,
    cause: str,
    checkpoint: Path | None = None,
    leave_live: Annotated[bool, Parameter(negative="")] = False,
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Close a ledger whose signing key may be in other hands, and let a new one follow it.

    The new one begins in another data directory, which `sojourn init` has made, with another `scribe.origin` in its
    settings and a key of its own. Its first entry holds the newest checkpoint of the old one that its witnesses have
    cosigned. The old one is not changed; it can be read and verified, and is not started again.

    Example: sojourn signing-key compromised ./sojourn-2 --cause "laptop stolen" --data ./sojourn

    Parameters
    ----------
    new
        The data directory of the ledger that follows.
    cause
        Why; on record in its first entry.
    checkpoint
        A checkpoint of the old ledger that somebody else holds, where no witness has cosigned any.
    leave_live
        Go on although accesses are live. The new ledger does not know them: remove their logins by hand.
    data
        The data directory of the old ledger (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    old = lay_out(data or environment().data_directory)
    begun = begin_anew(old, lay_out(new), cause=cause, given=checkpoint, leave_live=leave_live)
    if json:
        print_json(
            {
                "old": begun.old.vkey(),
                "new": begun.new.vkey(),
                "before": begun.before.size,
                "witnessed": begun.witnessed,
                "unproven": begun.unproven,
                "live": list(begun.live),
            }
        )
        return
    print_line(f"new key  {begun.new.vkey()}")
    print_line(f"follows  {begun.old.name} at {begun.before.size} entries")
    if not begun.witnessed:
        print_line("         (no quorum of witnesses has cosigned that: it is worth as much as who gave it to you)")
    if begun.unproven:
        print_line(f"The old ledger holds {begun.unproven} entries beyond, for which nobody else vouches.")
    for grant in begun.live:
        print_line(f"Live, and unknown to the new ledger: {grant}")
    print_line(
        "Give the new key to each witness (sojourn witness add-log) and to your auditors. Then start Sojourn there."
    )
