"""The reviewable YAML files, read into the domain's catalogue and the settings."""

from .cases import CASES_FILE, read_cases
from .catalogue import CATALOGUE_FILES, parse_catalogue, read_catalogue
from .examples import write_examples
from .settings import read_settings

__all__ = [
    "CASES_FILE",
    "CATALOGUE_FILES",
    "parse_catalogue",
    "read_cases",
    "read_catalogue",
    "read_settings",
    "write_examples",
]
