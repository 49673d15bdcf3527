"""The settings of a directory: settings.yaml, and what the files that lie beside it add to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sojourn.settings import Settings

from .fingerprint import fingerprint
from .nodes import invalid, read_bytes
from .settings import SETTINGS_FILE, parse_settings
from .witness_policy import read_policy_lines

WITNESS_POLICY_FILE = "witness.policy"


def read_settings(directory: Path) -> Settings:
    """The settings in `directory`/settings.yaml; all defaults if there is no such file, or only comments in it.

    Fingerprints that it does not say are those of the files in `directory`, and the witnesses are those of the
    witness.policy there.

    Raises SojournError `configuration.invalid` or `witness.policy_invalid`.
    """
    path = directory / SETTINGS_FILE
    said = parse_settings(read_bytes(path)) if path.exists() else Settings()
    return _with_witnesses(_with_fingerprints(said, directory), directory)


def proposed_settings(directory: Path) -> Settings | None:
    """What the files in `directory` propose as settings; None where they say nothing of them.

    Raises as `read_settings` does, and `configuration.invalid` for witnesses without the settings beside them, as
    everything else would be set to its default.
    """
    if (directory / SETTINGS_FILE).exists():
        return read_settings(directory)
    if (directory / WITNESS_POLICY_FILE).exists():
        raise invalid(SETTINGS_FILE, 1, 1, f"There is a {WITNESS_POLICY_FILE} and no {SETTINGS_FILE}", "both")
    return None


def _with_witnesses(settings: Settings, directory: Path) -> Settings:
    """The same with the policy that lies in `directory`; the two may not name different ones."""
    said, found = settings.witness.policy, read_policy_lines(directory / WITNESS_POLICY_FILE)
    if said and found and said != found:
        problem = f"The witnesses are others than those in the {WITNESS_POLICY_FILE} beside it"
        raise invalid(SETTINGS_FILE, 1, 1, problem, "the same in both, or only one of them")
    return replace(settings, witness=replace(settings.witness, policy=said or found))


def _with_fingerprints(settings: Settings, directory: Path) -> Settings:
    """The same with the fingerprints of the certificates in the files that it names, where it does not say them."""
    gateway, timestamp = settings.gateway, settings.timestamp
    if gateway.client_authority and not gateway.client_authority_sha256:
        found = _fingerprint_of(directory / gateway.client_authority)
        gateway = replace(gateway, client_authority_sha256=found)
    if timestamp.url and not timestamp.root_sha256:
        timestamp = replace(timestamp, root_sha256=_fingerprint_of(directory / timestamp.root))
    return replace(settings, gateway=gateway, timestamp=timestamp)


def _fingerprint_of(path: Path) -> str:
    """The fingerprint of a file; "" for one that cannot be read, which whoever needs it says."""
    try:
        return fingerprint(path.read_bytes())
    except OSError:
        return ""
