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


class Recording(StrEnum):
    """When a statement of a role goes on: after its record is durable, or at once with its result held back."""

    BEFORE_FORWARD = "before-forward"
    BEFORE_RELEASE = "before-release"


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
    """What one access may do on a target: exactly these privileges and nothing else.

    `recording` may be `before-release` only for a role that can do nothing but read.
    """

    name: RoleName
    privileges: tuple[Privilege, ...]
    description: str = ""
    connections_max: int = 4
    recording: Recording = Recording.BEFORE_FORWARD

    @property
    def reads_only(self) -> bool:
        """Whether no privilege of the role changes anything."""
        return all(verb is Verb.SELECT for privilege in self.privileges for verb in privilege.verbs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A production system. `administrator_secret` names a file of the vault, never the secret itself."""

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

    def role(self, name: RoleName) -> Role | None:
        """The role of that name, or None."""
        return next((role for role in self.roles if role.name == name), None)
