"""sojourn evidence: the evidence pack of one access."""

from __future__ import annotations

from pathlib import Path

from sojourn.errors import Code, SojournError
from sojourn.vault.files import write_private

from .client import place, response
from .common import Common
from .output import print_json, print_line


def evidence(grant: str, *, out: Path | None = None, common: Common | None = None) -> None:
    """Write everything on record about one access into a ZIP that verifies offline.

    Example: sojourn evidence g-7k3m2q9x4h --out evidence.zip

    Parameters
    ----------
    grant
        The grant's id.
    out
        The file to write (default: GRANT.zip).
    """
    common = common or Common()
    content = response(common, "GET", place("grants", grant, "evidence")).content
    path = out or Path(f"{Path(grant).name}.zip")
    try:
        # Private, because it says what statements said.
        write_private(path, content)
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}"
        raise SojournError(Code.INPUT_INVALID, problem=problem, expected="--out with a file of yours") from error
    if common.json:
        print_json({"grant": grant, "path": str(path), "bytes": len(content)})
        return
    print_line(f"Wrote {path} ({len(content)} bytes). Open index.html in it, or check it anywhere with")
    print_line(f"  sojourn-verify {path} --key LEDGER.vkey")
