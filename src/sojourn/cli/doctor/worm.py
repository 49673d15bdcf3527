"""sojourn doctor worm: try to alter what is locked in the bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.app.doctor import examine_worm
from sojourn.app.installation import lay_out
from sojourn.cli.output import print_json, print_line, print_table
from sojourn.codes import Exit
from sojourn.domain.events import WormVerdict

VERDICTS = {
    WormVerdict.WORM: ("WORM: nothing that was tried altered a locked object.", "bold green"),
    WormVerdict.NOT_WORM: ("NOT WORM: what is locked in this bucket can be altered.", "bold red"),
    WormVerdict.UNPROVEN: (
        "UNPROVEN: these credentials may delete nothing at all. Try it with those of an administrator of the bucket.",
        "bold red",
    ),
}


def worm(*, data: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Put an object under a lock into the bucket of the settings, and try to delete, shorten, downgrade and bypass it.

    Use the strongest credentials there are for that bucket (`AWS_PROFILE=administrator sojourn doctor worm`): only what
    is refused to them is refused by the lock. The object stays for a day, and the result goes on record.

    Example: sojourn doctor worm --data ./sojourn

    Parameters
    ----------
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    result = examine_worm(lay_out(data or environment().data_directory))
    if json:
        print_json({**msgspec.to_builtins(result.found), "seq": result.seq})
    else:
        _show(result.found.place, result.seq, result.found.verdict, msgspec.to_builtins(result.found.tries))
    return Exit.DONE if result.found.verdict is WormVerdict.WORM else Exit.FAILED


def _show(place: str, seq: int | None, verdict: WormVerdict, tries: list[dict[str, object]]) -> None:
    from rich.console import Console

    print_line(place)
    rows = [{"try": one["name"], "": "ok" if one["held"] else "FAILED", "answer": one["answer"]} for one in tries]
    print_table(rows, ["try", "", "answer"], empty="")
    text, style = VERDICTS[verdict]
    Console(highlight=False, soft_wrap=True).print(text, style=style)
    print_line("Not on record: nothing is running." if seq is None else f"On record as entry {seq}.")
