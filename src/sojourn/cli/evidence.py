"""sojourn evidence: the evidence pack of one access."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sojourn.errors import Code, SojournError
from sojourn.vault.files import write_private

from .client import call, place, response
from .common import Common
from .output import print_json, print_line


def evidence(
    name: str,
    *,
    out: Path | None = None,
    signature: Annotated[bool, Parameter(negative="")] = False,
    common: Common | None = None,
) -> None:
    """Write everything on record about one access event into a ZIP that verifies offline.

    Example: sojourn evidence g-7k3m2q9x4h --out evidence.zip --signature

    Parameters
    ----------
    name
        The grant's id, or the request's: a request that was denied or never used has a pack too.
    out
        The file to write (default: NAME.zip).
    signature
        Write its detached signature beside it: the entry that names the pack's hash (`.entry`) and the signed proof of
        that entry (`.tlog-proof`), for `sojourn-verify FILE.tlog-proof --entry FILE.entry`.
    """
    common = common or Common()
    kind = "requests" if name.startswith("r-") else "grants"
    content = response(common, "GET", place(kind, name, "evidence")).content
    path = out or Path(f"{Path(name).name}.zip")
    keep(path, content)
    if signature:
        given = call(common, "GET", place("evidence-given", hashlib.sha256(content).hexdigest()))
        keep(path.with_name(path.name + ".entry"), given["entry"].encode())
        keep(path.with_name(path.name + ".tlog-proof"), given["proof"].encode())
    if common.json:
        print_json({"name": name, "path": str(path), "bytes": len(content)})
        return
    print_line(f"Wrote {path} ({len(content)} bytes). Open index.html in it, or check it anywhere with")
    print_line(f"  sojourn-verify {path} --key LEDGER.vkey")


def keep(path: Path, content: bytes) -> None:
    """Write evidence for its reader alone, because it says what statements said. Raises SojournError."""
    try:
        write_private(path, content)
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}"
        raise SojournError(Code.INPUT_INVALID, problem=problem, expected="--out with a file of yours") from error
