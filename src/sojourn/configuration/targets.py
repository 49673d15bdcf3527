"""targets.yaml: what can be opened, and the roles that can be had there."""

from __future__ import annotations

from sojourn.domain.identifiers import RoleName, TargetName
from sojourn.domain.target import Privilege, Role, Target, TargetKind, TlsMode, Verb

from .names import once, pairs, texts
from .nodes import Node

CONNECTIONS_MAX = 100
TABLE_EXPECTED = "a list of table names, or all"


def read_targets(root: Node) -> tuple[Target, ...]:
    """Every target of the file. Raises SojournError `configuration.invalid`."""
    fields = root.fields("targets", required=("targets",))
    return tuple(_target(TargetName(name), node) for name, node in fields["targets"].named("targets").items())


def _target(name: TargetName, node: Node) -> Target:
    required = ("kind", "host", "port", "database", "administrator", "administrator_secret", "roles")
    fields = node.fields(*required, "tls", "tls_authority", "description", "labels", required=required)
    modes = {str(mode): mode for mode in TlsMode}
    return Target(
        name=name,
        kind=fields["kind"].choice({str(kind): kind for kind in TargetKind}),
        host=fields["host"].text("a host name or address"),
        port=fields["port"].integer(1, 65535),
        database=fields["database"].text("the name of a database"),
        administrator=fields["administrator"].text("the name of Sojourn's account there"),
        administrator_secret=fields["administrator_secret"].name("the name of a file in secrets/"),
        roles=tuple(_role(RoleName(one), role) for one, role in fields["roles"].named("roles").items()),
        tls=fields["tls"].choice(modes) if "tls" in fields else TlsMode.VERIFY_FULL,
        tls_authority=fields["tls_authority"].text("the path of a certificate") if "tls_authority" in fields else "",
        description=fields["description"].text("a sentence") if "description" in fields else "",
        labels=pairs(fields["labels"], "labels") if "labels" in fields else (),
    )


def _role(name: RoleName, node: Node) -> Role:
    fields = node.fields("description", "connections", "privileges", required=("privileges",))
    privileges = tuple(_privilege(one) for one in fields["privileges"].items("a list of privileges"))
    if not privileges:
        fields["privileges"].fail("A role without privileges opens nothing", "one privilege at least")
    return Role(
        name=name,
        privileges=privileges,
        description=fields["description"].text("a sentence") if "description" in fields else "",
        connections_max=fields["connections"].integer(1, CONNECTIONS_MAX) if "connections" in fields else 4,
    )


def _privilege(node: Node) -> Privilege:
    fields = node.fields("schema", "tables", "columns", "verbs", required=("schema", "tables", "verbs"))
    options = {str(verb): verb for verb in Verb}
    verbs = once(fields["verbs"], "a list of verbs", lambda one: one.choice(options))
    if not verbs:
        fields["verbs"].fail("A privilege without verbs allows nothing", "one of " + ", ".join(options))
    columns = texts(fields["columns"], "a list of columns") if "columns" in fields else ()
    tables = _tables(fields["tables"])
    if columns and (Verb.DELETE in verbs or not tables):
        problem = "Columns go with named tables, and never with delete, which takes whole rows"
        fields["columns"].fail(problem, "a privilege of its own for them")
    if "columns" in fields and not columns:
        fields["columns"].fail("The list is empty", "a list of columns, or no such key for whole tables")
    return Privilege(schema=fields["schema"].text("a schema"), verbs=verbs, tables=tables, columns=columns)


def _tables(node: Node) -> tuple[str, ...]:
    if node.is_list:
        names = texts(node, TABLE_EXPECTED)
        if not names:
            node.fail("The list is empty", TABLE_EXPECTED)
        return names
    node.choice({"all": True})
    return ()
