"""sojourn report delivered: what schedules made."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.client import call, place, response
from sojourn.cli.common import Common
from sojourn.cli.evidence import keep
from sojourn.cli.output import print_json, print_line, print_table


def delivered(name: str = "", *, out: Path | None = None, common: Common | None = None) -> None:
    """List the reports and packs that schedules made, or take one away; for auditors.

    Who was given one is on record.

    Example: sojourn report delivered quarterly-2026-07-01-2026-10-01.zip --out q3.zip

    Parameters
    ----------
    name
        The name of the file to take away (default: list them).
    out
        The file to write (default: NAME).
    """
    common = common or Common()
    if not name:
        found = call(common, "GET", "/delivered-reports")
        if common.json:
            print_json(found)
        else:
            rows = [{"name": one["name"], "bytes": str(one["bytes"])} for one in found["files"]]
            print_table(rows, ["name", "bytes"], empty="No schedule has made a report yet.")
        return
    content = response(common, "GET", place("delivered-reports", name)).content
    path = out or Path(Path(name).name)
    keep(path, content)
    if common.json:
        print_json({"name": name, "path": str(path), "bytes": len(content)})
        return
    print_line(f"Wrote {path} ({len(content)} bytes).")
