"""sojourn audit drill: alter clones of the ledger, and show what notices."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from sojourn.app.drill import Drilled
from sojourn.app.drill import drill as run
from sojourn.app.drill.record import record
from sojourn.cli.output import print_json, print_line, print_table
from sojourn.codes import Exit
from sojourn.errors import Code, SojournError

from .printing import layout_of


def drill(
    *,
    keep: Path | None = None,
    result: Path | None = None,
    database: str = "",
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Alter, delete, truncate, reorder, backdate, roll back and fork clones of the ledger, and show who notices.

    Sealed values, attachments, cosignatures and time stamps are attacked too. The ledger itself is only read; it may be
    in use. Each clone is altered as one would who owns the tables, drops their triggers and computes every hash again.
    Exit code 1 if anything is not caught. It takes room for
    sixteen copies. While Sojourn runs, the result goes on
    record and is signed with the ledger's key.

    Example: sojourn audit drill --data ./sojourn

    Parameters
    ----------
    result
        Write the result (JSON) into this file, and beside it the entry that names it (`.entry`) and the signed proof of
        that entry (`.tlog-proof`), for `sojourn-verify FILE.tlog-proof --entry FILE.entry`. Exit code 1 if nothing runs
        that could sign it.
    database
        For a ledger in PostgreSQL: the address of somebody who may make databases on its server, for the clones.
    keep
        Leave the clones in this directory, which must not exist yet (default: they are removed). They hold what the
        ledger holds, so guard them as well.
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    layout, seed = layout_of(data), secrets.token_bytes(32)
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="sojourn-drill-") as directory:
            drilled = run(layout, directory=Path(directory), seed=seed, maker=database)
    else:
        try:
            keep.mkdir(mode=0o700)
        except OSError as error:
            raise SojournError(
                Code.INPUT_INVALID, problem=f"{keep} cannot be made: {error.strerror}", expected="a new directory"
            ) from error
        drilled = run(layout, directory=keep, seed=seed, maker=database)
    signed = asyncio.run(record(layout, drilled))
    if result is not None and signed is not None:
        signed.write(result)
    seq = None if signed is None else signed.seq
    if json:
        print_json({"passed": drilled.passed, "seq": seq, **msgspec.to_builtins(drilled)})
    else:
        _show(drilled)
        print_line("Not on record: nothing is running." if seq is None else f"On record as entry {seq}.")
    return Exit.DONE if drilled.passed and (signed or result is None) else Exit.FAILED


def _show(result: Drilled) -> None:
    names = [look.by for look in result.untouched]
    told = [("untouched", result.untouched), *((attack.name, attack.looks) for attack in result.attacks)]
    rows = [
        {
            "clone": name,
            **{look.by: f"{'caught' if look.problem else '-'} in {look.milliseconds} ms" for look in looks},
        }
        for name, looks in told
    ]
    print_table(rows, ["clone", *names], empty="")
    for attack in result.attacks:
        print_line()
        print_line(f"{attack.name}: {attack.what}")
        for look in attack.looks:
            print_line(f"  {look.by}: {look.problem or 'noticed nothing'}")
    print_line()
    if not result.attacks:
        print_line("The ledger is not sound as it is, so nothing was tried on it. `sojourn audit verify` tells more:")
        for look in result.untouched:
            print_line(f"  {look.by}: {look.problem or 'noticed nothing'}")
        return
    caught = sum(attack.caught for attack in result.attacks)
    for one in result.untried:
        print_line(f"Not tried: {one.name}, because {one.why}.")
    print_line(f"{caught} of {len(result.attacks)} attacks on a ledger of {result.size} entries were caught.")
