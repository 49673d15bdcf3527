"""What a newcomer reads at the end of the demo."""

from __future__ import annotations

import sys
from typing import Any

from .cast import READERS
from .installation import Installation


def print_summary(found: dict[str, Any], one: Installation, *, password: str | None) -> None:
    """Say who asked, who decided, what was done, how it ended, and what can be tried next.

    `password` opens everybody's account while the demo keeps running; None if it ends now.
    """
    lines = [
        "",
        "What happened" if found["ok"] else "SOMETHING DID NOT GO AS IT SHOULD",
        "  asked      alice, for 30 minutes of reading in shop, with a reason; she could not approve it herself",
        "  decided    bob",
        f"  done       {found['statements_recorded']} statements, each on record before it reached the database;",
        f"             a write under the read role was refused by PostgreSQL ({found['write_refused_sqlstate']})",
        f"  ended      cut {found['cut_ms']} ms after its end, role gone from the database after "
        f"{found['role_absent_ms']} ms",
        f"  proved     {found['entries']} ledger entries; pack verified offline: {_yes(found['verified'])}; "
        f"tampering found: {_yes(found['tamper_detected'])}",
        f"  took       {found['seconds']} s",
    ]
    if password is not None:
        pages = one.address.replace("127.0.0.1", "localhost")
        lines += [
            "",
            "Everything keeps running until Ctrl-C. In a browser on this machine, a link signs you in:",
            *(f"  {found['links'][person]}  {who}" for person, who in READERS.items()),
            f"By hand: {pages}/sign-in, everybody with the password {password}",
            "In another terminal, in this directory:",
            f"  export SOJOURN_CLIENT_DIR={one.clients}",
            '  uv run sojourn --version; alias sojourn="uv run sojourn"',
            "  sojourn targets --as alice",
            '  sojourn request shop --role read --for 10m --reason "looking around" --as alice',
            "  sojourn approve REQUEST --as bob",
            "  sojourn connect shop --as alice",
            "  sojourn sessions --as dora",
            f"  sojourn evidence {found['grant_id']} --as dora",
            f"  sojourn-verify {found['pack']} --key {one.layout.root.parent / 'ledger.vkey'}",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _yes(value: bool) -> str:
    return "yes" if value else "NO"
