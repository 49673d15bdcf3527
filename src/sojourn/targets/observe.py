"""What a role can do in PostgreSQL, read from the catalogs, in the words in which it was asked for.

Only what was given to the role itself counts; what PUBLIC has is the same for everybody and not ours to change.
"""

from __future__ import annotations

from psycopg import AsyncConnection

from sojourn.domain.target import Role

Connection = AsyncConnection[tuple[object, ...]]

_GIVEN = """
SELECT 'USAGE on schema ' || n.nspname
FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a
WHERE a.grantee = %(role)s::pg_catalog.regrole
UNION ALL
SELECT a.privilege_type || ' on ' || n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
     pg_catalog.aclexplode(c.relacl) a
WHERE a.grantee = %(role)s::pg_catalog.regrole
UNION ALL
SELECT a.privilege_type || ' (' || t.attname || ') on ' || n.nspname || '.' || c.relname
FROM pg_catalog.pg_attribute t JOIN pg_catalog.pg_class c ON c.oid = t.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
     pg_catalog.aclexplode(t.attacl) a
WHERE a.grantee = %(role)s::pg_catalog.regrole
UNION ALL
SELECT 'member of ' || m.roleid::pg_catalog.regrole::text
FROM pg_catalog.pg_auth_members m WHERE m.member = %(role)s::pg_catalog.regrole
ORDER BY 1
"""

_TABLES = """
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1
"""


async def observe(connection: Connection, role: str) -> tuple[str, ...]:
    """Everything that was given to the role, one line each, sorted."""
    quoted = '"' + role.replace('"', '""') + '"'
    cursor = await connection.execute(_GIVEN, {"role": quoted})
    return tuple(sorted(str(line) for (line,) in await cursor.fetchall()))


async def expected(connection: Connection, role: Role) -> tuple[str, ...]:
    """What `role` names, in the same words; a schema's tables are those that it holds now."""
    lines: set[str] = set()
    for privilege in role.privileges:
        lines.add(f"USAGE on schema {privilege.schema}")
        tables: tuple[str, ...] = privilege.tables
        if not tables:
            cursor = await connection.execute(_TABLES, (privilege.schema,))
            tables = tuple(str(name) for (name,) in await cursor.fetchall())
        for table in tables:
            for verb in privilege.verbs:
                for column in privilege.columns or ("",):
                    part = f" ({column})" if column else ""
                    lines.add(f"{verb.upper()}{part} on {privilege.schema}.{table}")
    return tuple(sorted(lines))
