"""The reviewable YAML files, read into the domain's catalogue and the settings."""

from .catalogue import CATALOGUE_FILES, parse_catalogue, read_catalogue
from .examples import write_examples
from .settings import read_settings

__all__ = ["CATALOGUE_FILES", "parse_catalogue", "read_catalogue", "read_settings", "write_examples"]
