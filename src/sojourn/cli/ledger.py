"""sojourn ledger: the signed head of the record."""

from __future__ import annotations

import sys

from .client import call
from .common import Common
from .output import escaped, print_fields, print_json, print_line, print_table


def ledger(*, common: Common | None = None) -> None:
    """Show how much is on record, its signed checkpoint, the key that checks it, and how far its published copies are.

    Example: sojourn ledger --json
    """
    common = common or Common()
    answered = call(common, "GET", "/ledger")
    if common.json:
        print_json(answered)
        return
    print_fields({name: answered[name] for name in ("origin", "size", "root", "verifier_key")})
    copies = [{**copy, "behind": answered["size"] - copy["published"]} for copy in answered["copies"]]
    if copies:
        print_line()
        print_table(copies, ["place", "published", "behind", "behind_since", "problem"], empty="")
    sys.stdout.write("\n" + escaped(answered["checkpoint"], keep_lines=True))
