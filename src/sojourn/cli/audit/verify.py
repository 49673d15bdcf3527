"""sojourn audit verify: run the offline verifier over this installation's own ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from sojourn.app.self_check import SelfChecked
from sojourn.app.self_check import check_itself as run
from sojourn.cli.output import print_json, print_line
from sojourn.codes import Exit

from .printing import layout_of

CAUTION = (
    "This was checked with the key in the data directory, by the installation itself: it finds damage, and proves "
    "nothing to somebody who does not trust it. An auditor runs sojourn-verify elsewhere, with a key that came by "
    "another way."
)


def verify(
    *,
    timestamp_root: Path | None = None,
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Verify the whole ledger, its published folder and its time stamps with the installation's own key.

    Exit code 1 if anything fails.

    It finds damage, and proves nothing to somebody who does not trust this installation. An auditor takes the file
    sojourn_verify.py from a release and the key from a person, and runs it over what `sojourn audit export` writes.

    Example: sojourn audit verify --data ./sojourn

    Parameters
    ----------
    timestamp_root
        Time stamps have to lead to the certificates in this file (PEM; default: `timestamp.root` of the settings).
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    json
        Print JSON.
    """
    result = run(layout_of(data), timestamp_root)
    if json:
        print_json({"sound": result.sound, **msgspec.to_builtins(result), "caution": CAUTION})
    else:
        _show(result)
    return Exit.DONE if result.sound else Exit.FAILED


def _show(result: SelfChecked) -> None:
    for one in result.verdicts:
        checked = ", ".join(f"{number} {name}" for name, number in one.checked.items())
        print_line(f"{one.target}: {'sound' if one.sound else 'NOT SOUND'}; signed at {one.size}; checked {checked}")
        for problem in one.problems:
            print_line(f"  {problem['code']}: {problem['where']}: {problem['text']}")
    print_line()
    print_line(CAUTION)
