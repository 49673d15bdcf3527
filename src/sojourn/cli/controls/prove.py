"""sojourn controls prove: try to break the controls, on the running system, and have the result signed."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from sojourn.app.proving import Proved
from sojourn.app.proving import prove as run
from sojourn.cli.audit.printing import layout_of
from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.codes import Exit


def prove(
    target: str,
    *,
    role: str,
    requester: str,
    approver: str,
    result: Path | None = None,
    data: Path | None = None,
    common: Common | None = None,
) -> int:
    """Try what the controls must prevent: self-approval, an expired access, a missing ticket, work around Sojourn.

    Two test accounts that are signed in here ask and decide, at a target with the label `sandbox: yes`. A refusal
    counts only if it is on record. The last tamper drill joins the result, which goes on record and is signed with the
    ledger's key. Exit code 1 if anything came through. It runs on the machine itself, while Sojourn runs.

    Example: sojourn controls prove sandbox --role write --requester probe-asks --approver probe-decides --result p.json

    Parameters
    ----------
    target
        The target that is there to be tried on.
    role
        The role that is asked for; its rule asks for one approval and nothing but a reason.
    requester
        The account that asks.
    approver
        The account that may approve it.
    result
        Write the result (JSON) into this file, and beside it the entry that names it (`.entry`) and the signed proof of
        that entry (`.tlog-proof`), for `sojourn-verify FILE.tlog-proof --entry FILE.entry`.
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    """
    common = common or Common()

    def api(person: str, method: str, path: str, body: dict[str, Any]) -> Any:
        return call(replace(common, as_=person), method, path, body)

    def told(name: str) -> None:
        if sys.stderr.isatty():
            print(f"trying {name} ...", file=sys.stderr)

    proved, signed = asyncio.run(
        run(layout_of(data), api, target=target, role=role, requester=requester, approver=approver, told=told)
    )
    if result is not None and signed is not None:
        signed.write(result)
    if common.json:
        seq = None if signed is None else signed.seq
        print_json({"passed": proved.passed, "seq": seq, **msgspec.to_builtins(proved)})
    else:
        _show(proved)
        print_line("Not on record: nothing is running." if signed is None else f"On record as entry {signed.seq}.")
    return Exit.DONE if proved.passed and signed is not None else Exit.FAILED


def _show(proved: Proved) -> None:
    for one in proved.probes:
        places = f" (entries {', '.join(map(str, one.entries))})" if one.entries else ""
        print_line(f"{'passed' if one.passed else 'FAILED'}  {one.name}: {one.found}{places}")
    for left in proved.untried:
        print_line(f"untried {left.name}: {left.why}")
