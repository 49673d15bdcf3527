"""sojourn ledger: the signed head of the record."""

from __future__ import annotations

import sys

from .client import call
from .common import Common
from .output import escaped, print_fields, print_json


def ledger(*, common: Common | None = None) -> None:
    """Show how much is on record, its signed checkpoint, and the key that checks it.

    Example: sojourn ledger --json
    """
    common = common or Common()
    answered = call(common, "GET", "/ledger")
    if common.json:
        print_json(answered)
        return
    print_fields({name: answered[name] for name in ("origin", "size", "root", "verifier_key")})
    sys.stdout.write("\n" + escaped(answered["checkpoint"], keep_lines=True))
