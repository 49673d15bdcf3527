"""The command line: one file per command."""

from __future__ import annotations

import sys

COMMANDS = {
    "init": "init",
    "serve": "serve",
    "demo": "demo",
    "invite": "invite",
    "enrol": "enrol",
    "login": "login",
    "logout": "logout",
    "whoami": "whoami",
    "targets": "targets",
    "request": "request",
    "requests": "requests",
    "show": "show",
    "approve": "approve",
    "deny": "deny",
    "withdraw": "withdraw",
    "activate": "activate",
    "connect": "connect",
    "grants": "grants",
    "end": "end",
    "revoke": "revoke",
    "sessions": "sessions",
    "actions": "actions",
    "attempts": "attempts",
    "evidence": "evidence",
    "ledger": "ledger",
    "rebuild": "rebuild",
    "completion": "completion",
}
"""Every command, and the module that holds it; a module is imported only when its command is used."""


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from importlib.metadata import version

        sys.stdout.write(f"sojourn {version('sojourn')}\n")
        return
    from .program import run

    sys.exit(run(sys.argv[1:]))
