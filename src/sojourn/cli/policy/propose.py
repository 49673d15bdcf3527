"""sojourn policy propose: propose other files in the place of those in force."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.configuration import CATALOGUE_FILES, SETTINGS_FILE, proposed_settings, read_catalogue, rendered

from .differences import print_shown


def propose(files: Path, *, reason: str = "", common: Common | None = None) -> None:
    """Propose people, targets, policy and settings. Nothing changes before another administrator approves it.

    Settings are proposed where the directory has a settings.yaml, with the witnesses of the witness.policy beside it,
    and stay as they are otherwise. Processes run under other settings once they have started again.

    The files are read here first, so a fault shows with its line. A change that would lock out its author, or leave
    fewer than two administrators, or nobody any access, is refused.

    Example: sojourn policy propose ./config --reason "carol takes over billing"

    Parameters
    ----------
    files
        The directory of the files.
    reason
        Why; it is sealed, and shown to whoever approves.
    """
    common = common or Common()
    _, contents = read_catalogue(files)
    texts = {name: contents[name].decode("utf-8-sig") for name in CATALOGUE_FILES}
    settings = proposed_settings(files)
    if settings is not None:
        # What the record would hold, with the fingerprints of the certificates beside it; a machine's own stays here.
        texts[SETTINGS_FILE] = rendered(settings)
    answered = call(common, "POST", "/configuration/changes", {"files": texts, "reason": reason})
    if common.json:
        print_json(answered)
        return
    print_shown(answered)
    print_line("Another administrator looks at it and approves it with:")
    print_line(f"  sojourn policy approve-change {answered['change']} --digest {answered['digest']}")
