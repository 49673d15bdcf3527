"""What Sojourn's account lacks on a server to make the roles that a configuration names, with the SQL that gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import errors

from sojourn.domain.target import ObjectKind, Privilege, Role, Target

from .connection import INHERIT_OPTION_SINCE, Connection, first_line
from .log import CURRENT, LIST, READ, log_settings
from .observe import objects_of

_ACCOUNT = "SELECT rolsuper OR rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = current_user"

_REPLICATE = """
SELECT rolsuper OR rolreplication AND pg_catalog.current_setting('server_version_num')::int >= 160000
FROM pg_catalog.pg_roles WHERE rolname = current_user
"""

_CONNECT = """
SELECT EXISTS (SELECT FROM pg_catalog.aclexplode(COALESCE(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
               WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT')
    OR pg_catalog.has_database_privilege(d.oid, 'CONNECT WITH GRANT OPTION')
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""

_STATISTICS = "SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')"
_SCHEMA = "SELECT pg_catalog.has_schema_privilege(%s, 'USAGE WITH GRANT OPTION')"
_TABLE = "SELECT pg_catalog.has_table_privilege(pg_catalog.format('%%I.%%I', %s::text, %s::text), %s)"
_FUNCTION = "SELECT pg_catalog.has_function_privilege(%s::pg_catalog.regprocedure, %s)"
_SEQUENCE = "SELECT pg_catalog.has_sequence_privilege(pg_catalog.format('%%I.%%I', %s::text, %s::text), %s)"
_MEMBER = "SELECT pg_catalog.pg_has_role(%s, 'MEMBER WITH ADMIN OPTION')"
_COLUMN = "SELECT pg_catalog.has_column_privilege(pg_catalog.format('%%I.%%I', %s::text, %s::text), %s, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One thing that is missing. `remedy` is the SQL that gives it; empty if the configuration is what is wrong."""

    problem: str
    remedy: str = ""

    def __str__(self) -> str:
        """The line that a person reads."""
        return f"{self.problem}: {self.remedy}" if self.remedy else f"{self.problem}: correct targets.yaml"


async def lacking(connection: Connection, target: Target, roles: tuple[Role, ...]) -> tuple[Lack, ...]:
    """Everything that is missing for these roles, in the order in which it is best given; nothing is changed."""
    account, lacks = _quoted(target.administrator), []
    if not await _holds(connection, _ACCOUNT):
        lacks.append(Lack(problem="it may not make roles", remedy=f"ALTER ROLE {account} CREATEROLE;"))
    if not await _holds(connection, _CONNECT):
        remedy = f"GRANT CONNECT ON DATABASE {_quoted(target.database)} TO {account} WITH GRANT OPTION;"
        lacks.append(Lack(problem=f"it may not let others connect to database {target.database}", remedy=remedy))
    if not await _holds(connection, _STATISTICS):
        remedy = f"GRANT pg_read_all_stats TO {account};"
        lacks.append(Lack(problem="it may not see what the sessions of its roles are", remedy=remedy))
    log = await log_settings(connection)
    if log.form and not log.readable:
        functions = ", ".join((CURRENT, LIST, READ))
        remedy = f"GRANT EXECUTE ON FUNCTION {functions} TO {account};"
        lacks.append(Lack(problem="it may not read the server's log, to compare it with the record", remedy=remedy))
    if any(role.replication for role in roles) and not await _holds(connection, _REPLICATE):
        lacks.append(_lacking_to_replicate(connection, account))
    for role in roles:
        for privilege in role.privileges:
            lacks += await _lacking_for(connection, account, privilege)
        for lent in filter(None, (role.as_owner, role.account)):
            lacks += await _lacking_over(connection, account, lent)
    return tuple(dict.fromkeys(lacks))


def _lacking_to_replicate(connection: Connection, account: str) -> Lack:
    if connection.info.server_version >= INHERIT_OPTION_SINCE:
        return Lack(problem="it may not let others replicate", remedy=f"ALTER ROLE {account} REPLICATION;")
    return Lack(problem="before PostgreSQL 16 only a superuser lets others replicate")


async def _lacking_for(connection: Connection, account: str, privilege: Privilege) -> list[Lack]:
    schema, lacks = privilege.schema, []
    try:
        if not await _holds(connection, _SCHEMA, schema):
            remedy = f"GRANT USAGE ON SCHEMA {_quoted(schema)} TO {account} WITH GRANT OPTION;"
            lacks.append(Lack(problem=f"it may not pass on USAGE on schema {schema}", remedy=remedy))
    except errors.InvalidSchemaName:
        return [Lack(problem=f"there is no schema {schema}")]
    try:
        names = await objects_of(connection, privilege)
    except psycopg.ProgrammingError as error:
        lacks.append(Lack(problem=first_line(error)))
        return lacks
    for name in names:
        for verb in privilege.verbs:
            if privilege.kind is ObjectKind.FUNCTION:
                lack = await _lacking_to_execute(connection, account, name)
                lacks += () if lack is None else (lack,)
                continue
            for column in privilege.columns or ("",):
                lack = await _lacking_on(connection, account, (privilege, name, column), verb.upper())
                lacks += () if lack is None else (lack,)
    return lacks


async def _lacking_over(connection: Connection, account: str, role: str) -> list[Lack]:
    """Whether it may lend a role of the target, or open an account there."""
    try:
        # Before 16 who may make roles may also hand out any of them.
        if await _holds(connection, _MEMBER, role) or connection.info.server_version < INHERIT_OPTION_SINCE:
            return []
    except errors.UndefinedObject:
        return [Lack(problem=f"there is no role {role}")]
    remedy = f"GRANT {_quoted(role)} TO {account} WITH ADMIN OPTION;"
    return [Lack(problem=f"it may not lend the role {role}", remedy=remedy)]


async def _lacking_to_execute(connection: Connection, account: str, signature: str) -> Lack | None:
    if await _holds(connection, _FUNCTION, signature, "EXECUTE WITH GRANT OPTION"):
        return None
    remedy = f"GRANT EXECUTE ON ROUTINE {signature} TO {account} WITH GRANT OPTION;"
    return Lack(problem=f"it may not pass on EXECUTE on {signature}", remedy=remedy)


async def _lacking_on(
    connection: Connection, account: str, place: tuple[Privilege, str, str], verb: str
) -> Lack | None:
    privilege, table, column = place
    schema, question = privilege.schema, _SEQUENCE if privilege.kind is ObjectKind.SEQUENCE else _TABLE
    option = f"{verb} WITH GRANT OPTION"
    try:
        if column:
            held = await _holds(connection, _COLUMN, schema, table, column, option)
        else:
            held = await _holds(connection, question, schema, table, option)
    except errors.UndefinedTable:
        return Lack(problem=f"there is no {privilege.kind} {schema}.{table}")
    except errors.UndefinedColumn:
        return Lack(problem=f"there is no column {column} in {schema}.{table}")
    except errors.InsufficientPrivilege:
        # Without the use of the schema the server does not look at its tables; that lack has its own line.
        held = False
    if held:
        return None
    part = f" ({_quoted(column)})" if column else ""
    kind, whole = privilege.kind.upper(), f"{_quoted(schema)}.{_quoted(table)}"
    return Lack(
        problem=f"it may not pass on {verb}{f' ({column})' if column else ''} on {schema}.{table}",
        remedy=f"GRANT {verb}{part} ON {kind} {whole} TO {account} WITH GRANT OPTION;",
    )


async def _holds(connection: Connection, question: LiteralString, *values: str) -> bool:
    row = await (await connection.execute(question, values)).fetchone()
    return row is not None and row[0] is True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
