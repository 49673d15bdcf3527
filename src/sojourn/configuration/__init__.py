"""The reviewable YAML files, read into the domain's catalogue and the settings."""

from .cases import CASES_FILE, read_cases
from .catalogue import CATALOGUE_FILES, parse_catalogue, read_catalogue
from .examples import write_examples
from .fingerprint import fingerprint
from .held import (
    compare_settings,
    holds_witnesses,
    parse_held,
    rendered,
    settings_bytes,
    settings_digest,
    with_own_of,
)
from .settings import SETTINGS_FILE, parse_settings
from .settings_files import WITNESS_POLICY_FILE, proposed_settings, read_settings
from .witness_policy import parse_policy, policy_bytes, policy_lines

__all__ = [
    "CASES_FILE",
    "CATALOGUE_FILES",
    "SETTINGS_FILE",
    "WITNESS_POLICY_FILE",
    "compare_settings",
    "fingerprint",
    "holds_witnesses",
    "parse_catalogue",
    "parse_held",
    "parse_policy",
    "parse_settings",
    "policy_bytes",
    "policy_lines",
    "proposed_settings",
    "read_cases",
    "read_catalogue",
    "read_settings",
    "rendered",
    "settings_bytes",
    "settings_digest",
    "with_own_of",
    "write_examples",
]
