"""What the API answers about the policy in force, as a reader sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShown:
    """A table with its heading. Each row has one text for each column."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyShown:
    """The policy in force as the table that an auditor reads; `version` is that of the configuration."""

    version: int
    tables: tuple[TableShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WayShown:
    """One way to an access: the rule, and in words how it is got."""

    rule: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachShown:
    """What one person can get, and every way to it."""

    person: str
    target: str
    role: str
    ways: tuple[WayShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoCan:
    """Everybody who can get a role on a target, exactly; `version` is that of the configuration."""

    version: int
    accesses: tuple[ReachShown, ...]
