"""What can happen to the configuration and to the processes that work under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationFile:
    """One file of an adopted configuration, by its SHA-256 (hex); its text is kept as an attachment."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationAdopted:
    """The files were read and are in force from here on. `catalogue_sha256` names the attachment with the catalogue."""

    kind: ClassVar[str] = "configuration.adopted"
    catalogue_sha256: str
    files: tuple[ConfigurationFile, ...]
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStarted:
    """A process of Sojourn started; `node` is its name for this run."""

    kind: ClassVar[str] = "process.started"
    process: str
    node: str
    build: str
