"""sojourn sample packs: the evidence packs of all items of a sample."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.client import place, response
from sojourn.cli.common import Common
from sojourn.cli.evidence import keep
from sojourn.cli.output import print_json, print_line


def packs(sample: str, *, out: Path | None = None, common: Common | None = None) -> None:
    """Write the evidence packs of all items of a sample into one ZIP; for auditors. Each verifies offline by itself.

    Example: sojourn sample packs sample-7k3m2q9x4h --out packs.zip

    Parameters
    ----------
    sample
        The sample's id.
    out
        The file to write (default: SAMPLE.zip).
    """
    common = common or Common()
    content = response(common, "GET", place("samples", sample, "packs")).content
    path = out or Path(f"{Path(sample).name}.zip")
    keep(path, content)
    if common.json:
        print_json({"sample": sample, "path": str(path), "bytes": len(content)})
        return
    print_line(f"Wrote {path} ({len(content)} bytes).")
