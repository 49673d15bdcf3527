"""sojourn policy fetch: the files that are in force."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line


def fetch(directory: Path, *, as_of: str = "", common: Common | None = None) -> None:
    """Write the files that are in force into a directory, to be changed and proposed. For administrators and auditors.

    Example: sojourn policy fetch ./config

    Parameters
    ----------
    directory
        Where to; it is made if need be, and files of these names there are written anew.
    as_of
        The files that were in force at this moment.
    """
    common = common or Common()
    answered = call(common, "GET", "/configuration/files", params={"at": as_of} if as_of else None)
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in answered["files"].items():
        (directory / Path(name).name).write_text(content)
    if common.json:
        print_json({"version": answered["version"], "files": sorted(answered["files"])})
    else:
        print_line(f"Wrote {', '.join(sorted(answered['files']))} of version {answered['version']} into {directory}.")
