"""sojourn retention certificate: the proof of a destruction."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.client import place, response
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.errors import Code, SojournError
from sojourn.vault.files import write_private


def certificate(name: str, *, out: Path | None = None, common: Common | None = None) -> None:
    """Write the certificate of a disposal or a shredding: what was destroyed, by whom, by which rule, with proofs.

    Example: sojourn retention certificate d-7k3m2q9x4h --out certificate.zip

    Parameters
    ----------
    name
        The id of the disposal (d-…) or the shredding (sh-…).
    out
        The file to write (default: NAME.zip).
    """
    common = common or Common()
    content = response(common, "GET", place("disposals", name, "certificate")).content
    path = out or Path(f"{Path(name).name}.zip")
    try:
        write_private(path, content)
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}"
        raise SojournError(Code.INPUT_INVALID, problem=problem, expected="--out with a file of yours") from error
    if common.json:
        print_json({"certificate": name, "path": str(path), "bytes": len(content)})
        return
    print_line(f"Wrote {path} ({len(content)} bytes). Read certificate.txt in it, or check it anywhere with")
    print_line(f"  sojourn-verify {path} --key LEDGER.vkey")
