"""sojourn policy diff: what a change means for people."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.common import Common
from sojourn.cli.output import print_json
from sojourn.configuration import compare_settings, proposed_settings, read_catalogue, read_settings
from sojourn.domain.policy.difference import compare

from .differences import as_json, print_differences
from .source import on_record


def diff(new: Path, old: Path | None = None, *, common: Common | None = None) -> None:
    """Tell who gains or loses what by a change, person by person; and who would decide for whom.

    Compared is what the rules come to: a rule that is only renamed or split changes nothing. Settings that the record
    holds are compared too, where the new files have a settings.yaml.

    Example: sojourn policy diff ./config

    Example: sojourn policy diff ./new ./old

    Parameters
    ----------
    new
        The directory of the files after the change.
    old
        The directory of the files before it (default: what is in force, from the record).
    """
    common = common or Common()
    after, _ = read_catalogue(new)
    if old is not None:
        before, settings = read_catalogue(old)[0], read_settings(old)
    else:
        recorded = on_record(common)
        before, settings = recorded.filled(recorded.written), recorded.settings
        after = recorded.filled(after)
    proposed = proposed_settings(new)
    found = (*compare_settings(settings, settings if proposed is None else proposed), *compare(before, after))
    print_json({"differences": as_json(found)}) if common.json else print_differences(found)
