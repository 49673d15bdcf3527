"""targets.yaml: the production systems, and the roles that can be had there."""

from __future__ import annotations

import re

from sojourn.domain.identifiers import RoleName, TargetName
from sojourn.domain.target import (
    SEQUENCE_VERBS,
    TABLE_VERBS,
    WHOLE_ROW_VERBS,
    ObjectKind,
    Privilege,
    Recording,
    Role,
    Target,
    TargetKind,
    TlsMode,
    Verb,
)

from .names import once, pairs, texts
from .nodes import Node
from .ssh_hosts import read_host

CONNECTIONS_MAX = 100
ROWS_MAX = 1_000_000_000
SIZE = re.compile(r"[1-9][0-9]{0,5}(kB|MB|GB)", re.ASCII)
DURATIONS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout")
SIZES = ("work_mem", "maintenance_work_mem")
ROLE = (
    "description",
    "connections",
    "privileges",
    "settings",
    "as_owner",
    "account",
    "record",
    "replication",
    "mark_rows_over",
)
SETTINGS = (*DURATIONS, *SIZES, "read_only", "search_path")


def read_targets(root: Node) -> tuple[Target, ...]:
    """The targets of the file. Raises SojournError `configuration.invalid`."""
    fields = root.fields("targets", required=("targets",))
    return tuple(_target(TargetName(name), node) for name, node in fields["targets"].named("targets").items())


def _target(name: TargetName, node: Node) -> Target:
    kind = node.mapping("a target").get("kind")
    if kind is not None and kind.choice({str(one): one for one in TargetKind}) is TargetKind.SSH:
        return read_host(name, node)
    required = ("kind", "host", "port", "database", "administrator", "administrator_secret", "roles")
    optional = ("tls", "tls_authority", "tls_certificate", "tls_key", "databases", "description", "labels")
    fields = node.fields(*required, *optional, required=required)
    modes = {str(mode): mode for mode in TlsMode}
    return Target(
        name=name,
        kind=TargetKind.POSTGRES,
        host=fields["host"].text("a host name or address"),
        port=fields["port"].integer(1, 65535),
        database=fields["database"].text("the name of a database"),
        administrator=fields["administrator"].text("the name of Sojourn's account there"),
        administrator_secret=fields["administrator_secret"].name("the name of a file in secrets/"),
        roles=tuple(_role(RoleName(one), role) for one, role in fields["roles"].named("roles").items()),
        tls=fields["tls"].choice(modes) if "tls" in fields else TlsMode.VERIFY_FULL,
        tls_authority=fields["tls_authority"].text("the path of a certificate") if "tls_authority" in fields else "",
        tls_certificate=fields["tls_certificate"].text("the path of a certificate")
        if "tls_certificate" in fields
        else "",
        tls_key=fields["tls_key"].text("the path of its key") if "tls_key" in fields else "",
        databases=texts(fields["databases"], "a list of databases") if "databases" in fields else (),
        description=fields["description"].text("a sentence") if "description" in fields else "",
        labels=pairs(fields["labels"], "labels") if "labels" in fields else (),
    )


def _role(name: RoleName, node: Node) -> Role:
    fields = node.fields(*ROLE)
    privileges: tuple[Privilege, ...] = ()
    if "privileges" in fields:
        privileges = tuple(_privilege(one) for one in fields["privileges"].items("a list of privileges"))
    role = Role(
        name=name,
        privileges=privileges,
        description=fields["description"].text("a sentence") if "description" in fields else "",
        connections_max=fields["connections"].integer(1, CONNECTIONS_MAX) if "connections" in fields else 4,
        settings=_settings(fields["settings"]) if "settings" in fields else (),
        as_owner=fields["as_owner"].text("the name of a role of the target") if "as_owner" in fields else "",
        account=fields["account"].text("the name of a login of the target") if "account" in fields else "",
        recording=fields["record"].choice({str(one): one for one in Recording})
        if "record" in fields
        else Recording.BEFORE_FORWARD,
        replication=fields["replication"].boolean() if "replication" in fields else False,
        mark_rows_over=fields["mark_rows_over"].integer(1, ROWS_MAX) if "mark_rows_over" in fields else 0,
    )
    if role.account and (role.as_owner or privileges):
        fields["account"].fail(
            "An account that the target has already brings its own privileges",
            "no privileges and no as_owner beside it",
        )
    if role.recording is Recording.BEFORE_RELEASE and not role.reads_only:
        problem = "This role may change something, so its statements must be on record before they go on"
        fields["record"].fail(problem, f"{Recording.BEFORE_FORWARD}, or a role with select alone")
    if not role.opens:
        fields.get("privileges", node).fail(
            "A role without privileges opens nothing", "one privilege at least, or as_owner, or account, or replication"
        )
    return role


def _privilege(node: Node) -> Privilege:
    fields = node.fields("schema", "tables", "columns", "functions", "sequences", "verbs", required=("schema",))
    kinds = [kind for kind in ObjectKind if f"{kind}s" in fields]
    if len(kinds) != 1:
        node.fail("A privilege is about one kind of objects", "tables, functions or sequences: one of them")
    kind = kinds[0]
    names = _names(fields[f"{kind}s"], f"a list of {kind} names, or all")
    verbs = _verbs(node, fields, kind)
    columns: tuple[str, ...] = ()
    if "columns" in fields:
        columns = texts(fields["columns"], "a list of columns")
        whole = kind is not ObjectKind.TABLE or not names or any(verb in WHOLE_ROW_VERBS for verb in verbs)
        if not columns:
            fields["columns"].fail("The list is empty", "a list of columns, or no such key for whole tables")
        if whole:
            problem = "Columns go with named tables, and never with delete or truncate, which take whole rows"
            fields["columns"].fail(problem, "a privilege of its own for them")
    return Privilege(schema=fields["schema"].text("a schema"), verbs=verbs, kind=kind, names=names, columns=columns)


def _verbs(node: Node, fields: dict[str, Node], kind: ObjectKind) -> tuple[Verb, ...]:
    """The verbs; a function knows one only, which need not be written."""
    if kind is ObjectKind.FUNCTION:
        if "verbs" in fields:
            fields["verbs"].fail("A function can only be executed", "no verbs beside functions")
        return (Verb.EXECUTE,)
    if "verbs" not in fields:
        node.fail("A privilege without verbs allows nothing", "verbs")
    options = {str(verb): verb for verb in (TABLE_VERBS if kind is ObjectKind.TABLE else SEQUENCE_VERBS)}
    verbs = once(fields["verbs"], "a list of verbs", lambda one: one.choice(options))
    if not verbs:
        fields["verbs"].fail("A privilege without verbs allows nothing", "one of " + ", ".join(options))
    return verbs


def _names(node: Node, expected: str) -> tuple[str, ...]:
    if node.is_list:
        names = texts(node, expected)
        if not names:
            node.fail("The list is empty", expected)
        return names
    node.choice({"all": True})
    return ()


def _settings(node: Node) -> tuple[tuple[str, str], ...]:
    """Session defaults as PostgreSQL takes them: milliseconds, sizes with a unit, `on`; schemas joined by commas."""
    values: list[tuple[str, str]] = []
    for name, value in node.fields(*SETTINGS).items():
        if name in DURATIONS:
            values.append((name, str(int(value.duration().total_seconds() * 1000))))
        elif name in SIZES:
            size = value.text("a size such as 64MB")
            if SIZE.fullmatch(size) is None:
                value.fail(f"{size!a} is not a size", "a whole number and kB, MB or GB, such as 64MB")
            values.append((name, size))
        elif name == "read_only":
            values.append(("default_transaction_read_only", "on" if value.boolean() else "off"))
        else:
            values.append((name, ",".join(once(value, "a list of schemas", _schema))))
    return tuple(sorted(values))


def _schema(node: Node) -> str:
    schema = node.text("a schema")
    if "," in schema:
        node.fail(f"{schema!a} has a comma in it", "one schema for each place of the list")
    return schema
