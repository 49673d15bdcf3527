"""Where a policy command takes its configuration from: files, or the record of an installation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.configuration import parse_held, read_catalogue
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId
from sojourn.settings import Layout, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A configuration, which one it is in words, and what certifications have taken from whom (person, target, role).

    Who had left is not in the catalogue.
    """

    catalogue: Catalogue
    said: str
    settings: Settings = field(default_factory=Settings)
    removed: frozenset[tuple[str, str, str]] = frozenset()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Source:
    """Options of the commands that can read files or the record."""

    files: Annotated[
        Path | None,
        Parameter(
            name="--files", help="A directory with people.yaml, targets.yaml, policy.yaml (default: the record)."
        ),
    ] = None
    as_of: Annotated[
        str, Parameter(name="--as-of", help="What was in force at this moment, such as 2026-03-02T10:00:00Z.")
    ] = ""

    def read(self, common: Common) -> Found:
        """The configuration that is meant. Raises SojournError `configuration.…` for files, or as the API does."""
        if self.files is not None:
            return Found(catalogue=read_catalogue(self.files)[0], said=f"the files in {self.files}")
        return on_record(common, self.as_of)


def on_record(common: Common, as_of: str = "") -> Found:
    """What is in force, or was at a moment. Raises SojournError as the API does."""
    answered = call(common, "GET", "/configuration", params={"at": as_of} if as_of else None)
    catalogue = msgspec.json.decode(answered["catalogue"], type=Catalogue)
    return Found(
        catalogue=catalogue.without(frozenset(map(PersonId, answered["left"]))),
        said=f"version {answered['version']} of {answered['adopted_at']}, digest {answered['digest'][:12]}",
        settings=parse_held(answered["settings"].encode()),
        removed=frozenset((one["person"], one["target"], one["role"]) for one in answered["removed"]),
    )


def files_of(files: Path | None) -> Path:
    """The directory that is meant: the one given, or the configuration of the data directory."""
    return files if files is not None else Layout(root=environment().data_directory).configuration
