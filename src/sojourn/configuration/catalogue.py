"""people.yaml, targets.yaml and policy.yaml, read into the domain's catalogue. Every reference must be known.

What is refused here can never surprise anybody later: a rule whose approvers cannot reach the number, alone or
together with other rules that fit the same request, is an error that names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sojourn.domain.catalogue import Catalogue

from .nodes import Node, read_document, read_file
from .people import read_people
from .policy import read_policy
from .targets import read_targets

CATALOGUE_FILES = ("people.yaml", "targets.yaml", "policy.yaml")
"""The files that a catalogue is read from."""


def read_catalogue(directory: Path) -> tuple[Catalogue, dict[str, bytes]]:
    """The catalogue that the files of `directory` say, and each file's bytes by its name.

    Raises SojournError `configuration.missing`, or `configuration.invalid` with file, line, column, and what was
    expected there.
    """
    files = {name: read_file(directory / name) for name in CATALOGUE_FILES}
    catalogue = _catalogue({name: root for name, (root, _) in files.items()})
    return catalogue, {name: content for name, (_, content) in files.items()}


def parse_catalogue(files: Mapping[str, bytes]) -> Catalogue:
    """The catalogue that these files say, each given by its name. Raises SojournError as `read_catalogue` does."""
    return _catalogue({name: read_document(name, files.get(name)) for name in CATALOGUE_FILES})


def _catalogue(roots: Mapping[str, Node]) -> Catalogue:
    directory = read_people(roots["people.yaml"])
    targets = read_targets(roots["targets.yaml"])
    rules, separations = read_policy(roots["policy.yaml"], directory, targets)
    return Catalogue(
        people=directory.people, teams=directory.teams, targets=targets, rules=rules, separations=separations
    )
