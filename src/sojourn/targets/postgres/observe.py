"""What a role is and can do in PostgreSQL, read from the catalogs, in the words in which it was asked for.

Only what was given to the role itself counts; what PUBLIC has is the same for everybody and not ours to change.
Whatever else the role has gets a line too, so that it can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from sojourn.domain.target import ObjectKind, Privilege, Role
from sojourn.targets.port import Claim

from .connection import Connection

OURS = "Sojourn access "
"""How the comment begins that every role of ours carries; its name follows. No role can change its own comment."""

SCHEMAS = "search_path"
"""The one setting whose value is a list, of names without commas."""

ACCOUNT_OF = "Sojourn account of "
"""How the comment of an account begins that the target had already, while it is open; the grant and a stop follow."""

_GIVEN = """
SELECT a.privilege_type || ' on schema ' || n.nspname
FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a
WHERE a.grantee = %(role)s
UNION ALL
SELECT a.privilege_type || ' on database ' || d.datname
FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a
WHERE a.grantee = %(role)s
UNION ALL
SELECT a.privilege_type || ' on ' || n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
     pg_catalog.aclexplode(c.relacl) a
WHERE a.grantee = %(role)s
UNION ALL
SELECT a.privilege_type || ' (' || t.attname || ') on ' || n.nspname || '.' || c.relname
FROM pg_catalog.pg_attribute t JOIN pg_catalog.pg_class c ON c.oid = t.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
     pg_catalog.aclexplode(t.attacl) a
WHERE a.grantee = %(role)s
UNION ALL
SELECT a.privilege_type || ' on function ' || p.oid::pg_catalog.regprocedure::text
FROM pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a
WHERE a.grantee = %(role)s
UNION ALL
SELECT 'setting ' || v.setting
       || CASE WHEN s.setdatabase = 0 THEN ''
               ELSE ' in database ' || (SELECT datname FROM pg_catalog.pg_database WHERE oid = s.setdatabase) END
FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) v (setting)
WHERE s.setrole = %(role)s
UNION ALL
SELECT 'member of ' || m.roleid::pg_catalog.regrole::text
FROM pg_catalog.pg_auth_members m WHERE m.member = %(role)s
UNION ALL
SELECT 'attribute ' || v.name
FROM pg_catalog.pg_roles r, LATERAL (VALUES
    ('SUPERUSER', r.rolsuper), ('CREATEDB', r.rolcreatedb), ('CREATEROLE', r.rolcreaterole),
    ('REPLICATION', r.rolreplication), ('BYPASSRLS', r.rolbypassrls), ('INHERIT', r.rolinherit)) v (name, has)
WHERE r.oid = %(role)s AND v.has
UNION ALL
SELECT CASE s.deptype WHEN 'o' THEN 'owner of ' WHEN 'a' THEN 'privilege on ' ELSE 'named by ' END
       || CASE WHEN s.dbid IN (0, d.oid) THEN pg_catalog.pg_describe_object(s.classid, s.objid, s.objsubid)
               ELSE 'something in database ' || (SELECT datname FROM pg_catalog.pg_database WHERE oid = s.dbid) END
FROM pg_catalog.pg_shdepend s, pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database()
  AND s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = %(role)s
  AND NOT (s.deptype = 'a' AND (s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass OR s.dbid = d.oid
      AND s.classid IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_namespace'::pg_catalog.regclass,
                        'pg_catalog.pg_proc'::pg_catalog.regclass)))
"""

_RELATIONS = """
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = ANY (%s::"char"[]) ORDER BY 1
"""
_RELATION_KINDS = {ObjectKind.TABLE: ["r", "p", "v", "m", "f"], ObjectKind.SEQUENCE: ["S"]}

_FUNCTIONS = """
SELECT p.oid::pg_catalog.regprocedure::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %s ORDER BY 1
"""
_SIGNATURE = "SELECT (pg_catalog.quote_ident(%s) || '.' || %s)::pg_catalog.regprocedure::text"
_ONLY_ONE = """
SELECT (pg_catalog.quote_ident(%s) || '.' || %s)::pg_catalog.regproc::pg_catalog.oid::pg_catalog.regprocedure::text
"""

_STANDING: LiteralString = """
SELECT oid::pg_catalog.int8, rolname, rolcanlogin, rolconnlimit,
       CASE WHEN pg_catalog.isfinite(rolvaliduntil) THEN rolvaliduntil END,
       COALESCE(pg_catalog.shobj_description(oid, 'pg_authid'), '')
FROM pg_catalog.pg_roles WHERE
"""
_MARKED = """
rolname = %(name)s OR oid = %(oid)s OR rolvaliduntil = ANY (%(ends)s)
OR pg_catalog.starts_with(pg_catalog.shobj_description(oid, 'pg_authid'), %(comment)s)
ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A role as the server has it. `oid` stays the same number as long as the role lives, whatever its name."""

    oid: int
    name: str
    login: bool
    connections_max: int
    until: datetime | None
    comment: str

    @property
    def made(self) -> bool:
        """Whether its comment says that Sojourn made it."""
        return self.comment.startswith(OURS)

    @property
    def holder(self) -> str:
        """The grant that an account of the target's own is open for, or ""."""
        words = self.comment.split(". ", 1)[0]
        return words.removeprefix(ACCOUNT_OF) if words.startswith(ACCOUNT_OF) else ""


async def find(connection: Connection, name: str) -> Standing | None:
    """The role of that name, or None."""
    row = await (await connection.execute(_STANDING + "rolname = %s", (name,))).fetchone()
    return None if row is None else _standing(row)


async def find_number(connection: Connection, oid: int) -> Standing | None:
    """The role with that number, whatever its name is now, or None."""
    row = await (await connection.execute(_STANDING + "oid = %s", (oid,))).fetchone()
    return None if row is None else _standing(row)


async def marked(connection: Connection, claim: Claim, oid: int, comment: str) -> tuple[Standing, ...]:
    """All roles with any one mark of the access: its name, its number, one of its ends, or a comment that begins so."""
    marks = {"name": claim.credential, "oid": oid, "ends": [*claim.ends], "comment": comment}
    cursor = await connection.execute(_STANDING + _MARKED, marks)
    return tuple(_standing(row) for row in await cursor.fetchall())


def _standing(row: tuple[object, ...]) -> Standing:
    oid, name, login, connections_max, until, comment = row
    assert isinstance(oid, int) and isinstance(connections_max, int)
    assert until is None or isinstance(until, datetime)
    return Standing(
        oid=oid,
        name=str(name),
        login=login is True,
        connections_max=connections_max,
        until=until,
        comment=str(comment),
    )


async def observe(connection: Connection, oid: int) -> tuple[str, ...]:
    """Everything that was given to the role, one line each, sorted."""
    cursor = await connection.execute(_GIVEN, {"role": oid})
    return tuple(sorted({str(line) for (line,) in await cursor.fetchall()}))


async def objects_of(connection: Connection, privilege: Privilege) -> tuple[str, ...]:
    """The objects that a privilege is about, as the database has them now.

    Tables and sequences by their bare names, functions by their whole signatures, quoted where SQL needs it. A function
    that is not there, or not the only one of its name, raises psycopg's error; tables are not looked up.
    """
    if privilege.kind is ObjectKind.FUNCTION and privilege.names:
        found = []
        for name in privilege.names:
            question = _SIGNATURE if "(" in name else _ONLY_ONE
            cursor = await connection.execute(question, (privilege.schema, name))
            found += [str(row[0]) for row in await cursor.fetchall()]
        return tuple(found)
    if privilege.names:
        return privilege.names
    if privilege.kind is ObjectKind.FUNCTION:
        cursor = await connection.execute(_FUNCTIONS, (privilege.schema,))
    else:
        cursor = await connection.execute(_RELATIONS, (privilege.schema, _RELATION_KINDS[privilege.kind]))
    return tuple(str(name) for (name,) in await cursor.fetchall())


async def expected(connection: Connection, role: Role) -> tuple[str, ...]:
    """What `role` names, in the same words; a schema's objects are those that it holds now."""
    lines = {f"setting {name}={await _as_kept(connection, name, value)}" for name, value in role.defaults}
    if role.as_owner:
        lines |= {f"member of {await quoted(connection, role.as_owner)}", f"setting role={role.as_owner}"}
    if role.replication:
        lines.add("attribute REPLICATION")
    for privilege in role.privileges:
        lines.add(f"USAGE on schema {privilege.schema}")
        for name in await objects_of(connection, privilege):
            place = f"function {name}" if privilege.kind is ObjectKind.FUNCTION else f"{privilege.schema}.{name}"
            for verb in privilege.verbs:
                for column in privilege.columns or ("",):
                    part = f" ({column})" if column else ""
                    lines.add(f"{verb.upper()}{part} on {place}")
    return tuple(sorted(lines))


async def _as_kept(connection: Connection, setting: str, value: str) -> str:
    """A setting's value as the server keeps it: a list of schemas is quoted where SQL needs it."""
    if setting != SCHEMAS:
        return value
    return ", ".join([await quoted(connection, schema) for schema in value.split(",")])


async def quoted(connection: Connection, name: str) -> str:
    """A name as the server writes it: quoted where SQL needs it."""
    cursor = await connection.execute("SELECT pg_catalog.quote_ident(%s)", (name,))
    row = await cursor.fetchone()
    assert row is not None
    return str(row[0])
