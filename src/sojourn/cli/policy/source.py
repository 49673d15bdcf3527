"""Where a policy command takes its configuration from: files, or the record of an installation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.configuration import read_catalogue
from sojourn.domain.catalogue import Catalogue
from sojourn.settings import Layout


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

    def read(self, common: Common) -> tuple[Catalogue, str]:
        """The configuration that is meant, and which one it is in words.

        Raises SojournError `configuration.…` for files, or as the API does.
        """
        if self.files is not None:
            return read_catalogue(self.files)[0], f"the files in {self.files}"
        return on_record(common, self.as_of)


def on_record(common: Common, as_of: str = "") -> tuple[Catalogue, str]:
    """What is in force, or was at a moment, and its version in words. Raises SojournError as the API does."""
    answered = call(common, "GET", "/configuration", params={"at": as_of} if as_of else None)
    said = f"version {answered['version']} of {answered['adopted_at']}, digest {answered['digest'][:12]}"
    return msgspec.convert(answered["catalogue"], Catalogue), said


def files_of(files: Path | None) -> Path:
    """The directory that is meant: the one given, or the configuration of the data directory."""
    return files if files is not None else Layout(root=environment().data_directory).configuration
