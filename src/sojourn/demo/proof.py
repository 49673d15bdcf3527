"""What Dora takes away, checked by a program that trusts none of us; and what happens when somebody cheats."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sojourn_verify
from sojourn.app.verifying import verify_file
from sojourn.ledger.tiles import encode_bundle
from sojourn.scribe.rows import named, unpack

if TYPE_CHECKING:
    from .story import Stage


def prove(stage: Stage) -> None:
    """Write the evidence pack of the first access, and verify it offline."""
    found, one = stage.found, stage.installation
    pack = stage.directory / f"{found['grant_id']}.zip"
    stage.ask("evidence", found["grant_id"], "--out", str(pack), person="dora")
    key = stage.directory / "ledger.vkey"
    shutil.copy(one.layout.verifier_key, key)
    result = verify(pack, key)
    sessions = stage.ask("sessions", person="dora")["sessions"]
    found["statements_recorded"] = sum(session["actions"] for session in sessions)
    found["entries"] = stage.ask("ledger", person="dora")["size"]
    found["verified"] = result["ok"]
    found["pack"] = str(pack)
    checked = ", ".join(f"{number} {what}" for what, number in result["checked"].items())
    verdict = "verifies offline" if result["ok"] else "DOES NOT VERIFY"
    stage.say(f"dora's evidence pack of {found['grant_id']} {verdict}: {checked}")


def tamper(stage: Stage) -> None:
    """Alter one row of a copy of the ledger, as its database's owner could, and see what the verifier says."""
    copy = stage.directory / "tampered-copy.db"
    with sqlite3.connect(stage.installation.layout.ledger) as original, sqlite3.connect(copy) as target:
        original.backup(target)
    with sqlite3.connect(copy) as target:
        rows = target.execute("SELECT first, count, leaves, entries FROM batch ORDER BY first").fetchall()
        first, held, seq = next(
            (row[0], unpack(row), seq)
            for row in rows
            for seq, _, data in unpack(row)
            if named(seq, b"", data)[3] == "request.approved"
        )
        forged = [data.replace(b'"bob"', b'"eve"') if place == seq else data for place, _, data in held]
        target.execute("DROP TRIGGER batch_refuses_update")
        target.execute("UPDATE batch SET entries = ? WHERE first = ?", (encode_bundle(forged), first))
    original.close()
    target.close()
    result = verify_file(copy, keys=[(stage.directory / "ledger.vkey").read_text()])
    problem = next((one for one in result.problems if str(seq) in f"{one['where']} {one['text']}"), None)
    stage.found["tamper_detected"] = problem is not None
    told = f"{problem['where']}: {problem['text']}" if problem is not None else "nothing"
    stage.say(f"in a copy of the ledger, bob's approval is made eve's: the verifier says: {told}")


def verify(path: Path, key: Path) -> dict[str, Any]:
    """What the verifier says of `path`, run as a program of its own."""
    done = subprocess.run(
        [sys.executable, str(Path(sojourn_verify.__file__)), str(path), "--key", str(key), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result
