"""The reviewable YAML files, read into the domain's catalogue and the settings."""

from .cases import CASES_FILE, read_cases
from .catalogue import CATALOGUE_FILES, parse_catalogue, read_catalogue
from .examples import write_examples
from .fingerprint import fingerprint
from .held import compare_settings, parse_held, rendered, settings_bytes, settings_digest, with_own_of
from .settings import SETTINGS_FILE, parse_settings, read_settings

__all__ = [
    "CASES_FILE",
    "CATALOGUE_FILES",
    "SETTINGS_FILE",
    "compare_settings",
    "fingerprint",
    "parse_catalogue",
    "parse_held",
    "parse_settings",
    "read_cases",
    "read_catalogue",
    "read_settings",
    "rendered",
    "settings_bytes",
    "settings_digest",
    "with_own_of",
    "write_examples",
]
