"""Targets, and the roles that can be had on them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .identifiers import RoleName, TargetName
from .ssh import Host, HostAccess, narrower_access


class TargetKind(StrEnum):
    """The kinds of production system that Sojourn can open."""

    POSTGRES = "postgres"
    SSH = "ssh"


class TlsMode(StrEnum):
    """How a target proves who it is (the names are libpq's `sslmode`)."""

    DISABLE = "disable"
    REQUIRE = "require"
    VERIFY_FULL = "verify-full"


class Verb(StrEnum):
    """What a role may do: PostgreSQL's privileges of the same names.

    The first five are for tables (`delete` and `truncate` take whole rows, so they go with no columns), `execute` is
    for functions and `usage` for sequences.
    """

    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    TRUNCATE = "truncate"
    EXECUTE = "execute"
    USAGE = "usage"


TABLE_VERBS = (Verb.SELECT, Verb.INSERT, Verb.UPDATE, Verb.DELETE, Verb.TRUNCATE)
WHOLE_ROW_VERBS = (Verb.DELETE, Verb.TRUNCATE)
SEQUENCE_VERBS = (Verb.USAGE, Verb.SELECT, Verb.UPDATE)


READ_ONLY = ("default_transaction_read_only", "on")
"""The default with which PostgreSQL keeps a session's transactions read-only."""


class Recording(StrEnum):
    """When a statement of a role goes on: after its record is durable, or at once with its result held back."""

    BEFORE_FORWARD = "before-forward"
    BEFORE_RELEASE = "before-release"


class ObjectKind(StrEnum):
    """What a privilege is about."""

    TABLE = "table"
    FUNCTION = "function"
    SEQUENCE = "sequence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Privilege:
    """One privilege inside a target: verbs on tables, functions or sequences of one schema.

    `names` empty means every object of that kind that the schema holds at the moment of the grant. A function is
    named with its argument types, `refund(integer, text)`, or without them if only one has the name. `columns` empty
    means whole tables.
    """

    schema: str
    verbs: tuple[Verb, ...]
    kind: ObjectKind = ObjectKind.TABLE
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The privilege as people read it: `UPDATE (status) on shop.orders`."""
        verbs = ", ".join(verb.upper() for verb in self.verbs)
        columns = f" ({', '.join(self.columns)})" if self.columns else ""
        names = ", ".join(f"{self.schema}.{name}" for name in self.names)
        return f"{verbs}{columns} on {names or f'every {self.kind} of schema {self.schema}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What one access may do on a target: exactly these privileges and nothing else.

    `settings` are the session's defaults (name and value as PostgreSQL takes them); they guard nothing, for who works
    there may set them otherwise. `as_owner` names the role of the target that the session acts as, so that what is
    made belongs to it and nothing is left behind; with it come all of that role's rights. `account` names a login that
    the target has already, for systems where none can be made: it is opened for one access at a time, with a password
    of its own, and shut afterwards; what it may do is the target's to say.
    `recording` may be `before-release` only for a role that can do nothing but read. `replication` lets its sessions
    speak the replication protocol, which copies every database of the server. `mark_rows_over` guards nothing: a
    statement with more rows is marked in the record; 0 marks none. `host` is what a role on an SSH host may do there;
    such a role has nothing else.
    """

    name: RoleName
    privileges: tuple[Privilege, ...] = ()
    description: str = ""
    connections_max: int = 4
    settings: tuple[tuple[str, str], ...] = ()
    as_owner: str = ""
    account: str = ""
    recording: Recording = Recording.BEFORE_FORWARD
    replication: bool = False
    mark_rows_over: int = 0
    host: HostAccess | None = None

    @property
    def defaults(self) -> tuple[tuple[str, str], ...]:
        """The defaults that its sessions get in the target."""
        if self.recording is Recording.BEFORE_FORWARD:
            return self.settings
        others = tuple(one for one in self.settings if one[0] != READ_ONLY[0])
        return (*others, READ_ONLY)

    @property
    def reads_only(self) -> bool:
        """Whether nothing that the role opens can change anything."""
        if self.as_owner or self.account or self.replication or self.host is not None:
            return False
        return all(verb is Verb.SELECT for privilege in self.privileges for verb in privilege.verbs)

    @property
    def opens(self) -> tuple[str, ...]:
        """All that it opens, one line each, as approvers read it."""
        lines = [str(privilege) for privilege in self.privileges]
        if self.as_owner:
            lines.append(f"everything that {self.as_owner} may do, acting as it")
        if self.account:
            lines.append(f"everything that the account {self.account} may do")
        if self.replication:
            lines.append("replication: a copy of every database of the server")
        if self.host is not None:
            lines += self.host.opens
        return tuple(lines)


def narrower(narrow: Role, wide: Role) -> bool:
    """Whether everything that `narrow` may do `wide` may do too: each of its privileges lies within one of those.

    What it lends of another role or account has to be lent by `wide` too, it is recorded in the same way, and no less
    of it is marked.
    """
    return (
        narrow.connections_max <= wide.connections_max
        and narrow.as_owner in ("", wide.as_owner)
        and narrow.account in ("", wide.account)
        and narrow.recording is wide.recording
        and narrow.replication <= wide.replication
        and (not wide.mark_rows_over or 0 < narrow.mark_rows_over <= wide.mark_rows_over)
        and _host_within(narrow.host, wide.host)
        and all(any(_within(one, other) for other in wide.privileges) for one in narrow.privileges)
    )


def _host_within(narrow: HostAccess | None, wide: HostAccess | None) -> bool:
    """Whether what the one opens on an SSH host lies within what the other does."""
    if narrow is None or wide is None:
        return narrow is None and wide is None
    return narrower_access(narrow, wide)


def _within(one: Privilege, other: Privilege) -> bool:
    """Whether the one privilege gives nothing that the other does not."""
    return (
        (one.schema, one.kind) == (other.schema, other.kind)
        and set(one.verbs) <= set(other.verbs)
        and (not other.names or (bool(one.names) and set(one.names) <= set(other.names)))
        and (not other.columns or (bool(one.columns) and set(one.columns) <= set(other.columns)))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A production system. `administrator_secret` names a file of the vault, never the secret itself.

    `labels` are what the policy may ask about a target, each name once. `databases` are those that may be opened
    besides `database`; a grant's privileges are in `database` alone. `tls_certificate` and `tls_key` are paths of what
    the gateway shows a target that asks for a certificate. `ssh` is what an SSH host has in place of database and TLS.
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
    tls_certificate: str = ""
    tls_key: str = ""
    databases: tuple[str, ...] = ()
    description: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    ssh: Host | None = None

    def opens_database(self, name: str) -> bool:
        """Whether that database of the target may be opened."""
        return name == self.database or name in self.databases

    def role(self, name: RoleName) -> Role | None:
        """The role of that name, or None."""
        return next((role for role in self.roles if role.name == name), None)
