"""What can happen to the configuration and to the processes that work under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sojourn.domain.confirmation import Confirmation
from sojourn.domain.identifiers import ChangeId, PersonId
from sojourn.domain.sealed import Sealed

NO_CHANGE = ChangeId("")
"""There was no proposal: an operator adopted the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationFile:
    """One file of an adopted configuration, by its SHA-256 (hex); its text is kept as an attachment."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationAdopted:
    """The files were read and are in force from here on. `catalogue_sha256` names the attachment with the catalogue,
    `settings_sha256` the one with the settings that the record holds; "" before there were any on record.

    Either an operator adopted them alone, or `change` was proposed by one person and approved by another.
    """

    kind: ClassVar[str] = "configuration.adopted"
    catalogue_sha256: str
    files: tuple[ConfigurationFile, ...]
    operator: str
    change: ChangeId = NO_CHANGE
    proposed_by: str = ""
    approved_by: str = ""
    settings_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationProposed:
    """Somebody proposes a configuration in the place of version `base`. Catalogue, settings and files are attachments.

    `digest` covers all of it; whoever approves names it.
    """

    kind: ClassVar[str] = "configuration.proposed"
    change: ChangeId
    person: PersonId
    base: int
    catalogue_sha256: str
    files: tuple[ConfigurationFile, ...]
    digest: str
    reason: Sealed
    source: str
    settings_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationApproved:
    """A second person approved exactly `digest`; it came into force as `version` in the same append."""

    kind: ClassVar[str] = "configuration.approved"
    change: ChangeId
    person: PersonId
    digest: str
    version: int
    source: str
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationWithdrawn:
    """The proposal is off: its author, or another administrator, took it back."""

    kind: ClassVar[str] = "configuration.withdrawn"
    change: ChangeId
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStarted:
    """A process of Sojourn started; `node` is its name for this run.

    `settings_sha256` is of the settings that it runs under, as in the adoption that put them in force; "" is not said.
    """

    kind: ClassVar[str] = "process.started"
    process: str
    node: str
    build: str
    settings_sha256: str = ""
