"""Targets, and the roles that can be had on them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .identifiers import RoleName, TargetName


class TargetKind(StrEnum):
    """The kinds of production system that Sojourn can open."""

    POSTGRES = "postgres"


class TlsMode(StrEnum):
    """How a target proves who it is (the names are libpq's `sslmode`)."""

    DISABLE = "disable"
    REQUIRE = "require"
    VERIFY_FULL = "verify-full"


class Verb(StrEnum):
    """What a role may do to a table or its columns: PostgreSQL's table privileges of the same names."""

    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Privilege:
    """One privilege inside a target: verbs on tables of a schema, optionally on some columns only.

    `tables` empty means every table that the schema holds at the moment of the grant. `columns` empty means
    whole tables; with columns, `delete` is not possible.
    """

    schema: str
    verbs: tuple[Verb, ...]
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What one access may do on a target: exactly these privileges and nothing else."""

    name: RoleName
    privileges: tuple[Privilege, ...]
    description: str = ""
    connections_max: int = 4


def narrower(narrow: Role, wide: Role) -> bool:
    """Whether everything that `narrow` may do `wide` may do too: each of its privileges lies within one of those."""
    return narrow.connections_max <= wide.connections_max and all(
        any(_within(one, other) for other in wide.privileges) for one in narrow.privileges
    )


def _within(one: Privilege, other: Privilege) -> bool:
    """Whether the one privilege gives nothing that the other does not."""
    return (
        one.schema == other.schema
        and set(one.verbs) <= set(other.verbs)
        and (not other.tables or (bool(one.tables) and set(one.tables) <= set(other.tables)))
        and (not other.columns or (bool(one.columns) and set(one.columns) <= set(other.columns)))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A production system. `administrator_secret` names a file of the vault, never the secret itself.

    `labels` are what the policy may ask about a target, each name once.
    """

    name: TargetName
    kind: TargetKind
    host: str
    port: int
    database: str
    administrator: str
    administrator_secret: str
    roles: tuple[Role, ...]
    tls: TlsMode = TlsMode.VERIFY_FULL
    tls_authority: str = ""
    description: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    def role(self, name: RoleName) -> Role | None:
        """The role of that name, or None."""
        return next((role for role in self.roles if role.name == name), None)
