"""Where a policy command takes its configuration from: files, or the record of an installation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.configuration import parse_held, read_catalogue
from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.events import TeamsBlocked
from sojourn.domain.identifiers import CampaignId, GrantId, PersonId, RoleName, TargetName, TeamName
from sojourn.domain.standing import DIRECTORY, Removal, Standing
from sojourn.settings import Layout, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A configuration as it is written, the same under the standing of its people, and which one it is in words."""

    written: Catalogue
    adopted: Adopted
    said: str
    settings: Settings = field(default_factory=Settings)

    @property
    def catalogue(self) -> Catalogue:
        """The configuration without who had left, its teams filled with those whose groups fill them."""
        return self.adopted.catalogue

    def filled(self, catalogue: Catalogue) -> Catalogue:
        """A configuration whose teams are filled with those whose groups fill them; who had left is still in it."""
        return catalogue.joined(self.adopted.standing.counted)


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
            catalogue, _ = read_catalogue(self.files)
            adopted = Adopted(catalogue=catalogue, version=0, digest="")
            return Found(written=catalogue, adopted=adopted, said=f"the files in {self.files}")
        return on_record(common, self.as_of)


def on_record(common: Common, as_of: str = "") -> Found:
    """What is in force, or was at a moment. Raises SojournError as the API does."""
    answered = call(common, "GET", "/configuration", params={"at": as_of} if as_of else None)
    catalogue = msgspec.json.decode(answered["catalogue"], type=Catalogue)
    adopted = Adopted(catalogue=catalogue, version=answered["version"], digest=answered["digest"])
    return Found(
        written=catalogue,
        adopted=adopted.under(_standing(answered)),
        said=f"version {answered['version']} of {answered['adopted_at']}, digest {answered['digest'][:12]}",
        settings=parse_held(answered["settings"].encode()),
    )


def _standing(answered: Mapping[str, Any]) -> Standing:
    """As much of the standing of people as decides who can get what."""
    claims = {(PersonId(one["person"]), one["origin"]): frozenset(one["groups"]) for one in answered["groups"]}
    removals = (
        Removal(
            campaign=CampaignId(""),
            person=PersonId(one["person"]),
            target=TargetName(one["target"]),
            role=RoleName(one["role"]),
        )
        for one in answered["removed"]
    )
    blocks = (
        TeamsBlocked(
            grant=GrantId(one["grant"]), person=PersonId(one["person"]), teams=tuple(map(TeamName, one["teams"]))
        )
        for one in answered["blocked"]
    )
    return Standing(
        left=frozenset(map(PersonId, answered["left"])),
        # Only those that counted are told: a directory's where it answers for the person.
        provisioned={person: "" for person, origin in claims if origin == DIRECTORY},
        claims=claims,
        removals=frozenset(removals),
        blocks=tuple(blocks),
    )


def files_of(files: Path | None) -> Path:
    """The directory that is meant: the one given, or the configuration of the data directory."""
    return files if files is not None else Layout(root=environment().data_directory).configuration
