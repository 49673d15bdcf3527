"""sojourn target reconcile: compare a target with the record now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line, print_table
from sojourn.codes import Exit


def reconcile(target: str, *, common: Common | None = None) -> int:
    """Look at a target now and compare it with the record: sessions, logins and its own log, and mighty accounts.

    For administrators and auditors. A running installation does this by itself every few seconds; a difference counts
    once two looks have seen it. Exits with 1 if something differs.

    Example: sojourn target reconcile shop

    Parameters
    ----------
    target
        The target's name (see `sojourn targets`).
    """
    common = common or Common()
    answered = call(common, "POST", f"/targets/{target}/reconcile", {})
    if common.json:
        print_json(answered)
    else:
        show(answered)
    return Exit.FAILED if answered["findings"] else Exit.DONE


def show(look: Mapping[str, Any]) -> None:
    """Print one look."""
    matched = f"{look['sessions_matched']} of {look['sessions']} sessions are on record"
    print_line(f"{look['target']}: {matched}; {look['logins']} logins of ours are there.")
    print_line(f"Its own log was not read: {look['log_problem']}." if look["log_problem"] else "Its own log was read.")
    print_table(look["findings"], ("since", "kind", "subject", "detail"), empty="Nothing differs from the record.")
    print_line("")
    print_line("Logins of others that could go around Sojourn:")
    for line in look["accounts"] or ["none"]:
        print_line(f"  {line}")
    for line in look["accounts_changed"]:
        print_line(f"  changed: {line}")
