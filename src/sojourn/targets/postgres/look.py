"""One look at a server: our logins and their sessions, and what of others could go around Sojourn.

A login counts as ours by its comment or by its name, as either may have been altered; an account that Sojourn opens for
one access at a time counts while it is open or in use, whoever opened it. Then the record has to know it.

Besides the logins of others that are a list of replication slots: no role owns one, so it outlives whoever made it.

Without `pg_read_all_stats` a server shows of other people's sessions little more than that they are there: the workers
of a parallel query then look like sessions of their own. `preflight` says when it is lacking.
"""

from __future__ import annotations

from collections.abc import Collection

from sojourn.domain.reconciliation import Observation, SeenSession

from .connection import Connection
from .observe import ACCOUNT_OF, OURS

ACCOUNTS_MAX = 200
TEXT_MAX = 200
NAMED = "^sojourn_g[0-9a-z]{10}$"
"""How the logins are called that Sojourn makes: after the grant (`workflow.activate.credential_for`)."""

_OURS = """
SELECT r.rolname FROM pg_catalog.pg_roles r
WHERE pg_catalog.starts_with(pg_catalog.shobj_description(r.oid, 'pg_authid'), %(made)s)
   OR pg_catalog.starts_with(pg_catalog.shobj_description(r.oid, 'pg_authid'), %(opened)s)
   OR r.rolname ~ %(named)s
   OR r.rolname = ANY (%(accounts)s)
      AND (r.rolcanlogin OR EXISTS (SELECT FROM pg_catalog.pg_stat_activity s WHERE s.usesysid = r.oid))
ORDER BY 1
"""

_SESSIONS = """
SELECT s.pid, s.usename, COALESCE(s.datname, ''), COALESCE(s.application_name, ''),
       COALESCE(s.client_addr::text, '')
FROM pg_catalog.pg_stat_activity s
WHERE s.usename = ANY (%s) AND COALESCE(s.backend_type, 'client backend') = 'client backend'
ORDER BY 1
"""

_MIGHTY = """
SELECT r.rolname || ': ' || pg_catalog.concat_ws(', ',
    CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
    CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
    CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
    CASE WHEN r.rolreplication THEN 'REPLICATION' END,
    CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
    m.names)
FROM pg_catalog.pg_roles r LEFT JOIN LATERAL (
    SELECT pg_catalog.string_agg('member of ' || p.rolname, ', ' ORDER BY p.rolname) AS names
    FROM pg_catalog.pg_roles p
    WHERE p.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_execute_server_program',
                        'pg_read_server_files', 'pg_write_server_files', 'pg_database_owner')
      AND pg_catalog.pg_has_role(r.oid, p.oid, 'MEMBER') AND NOT r.rolsuper
) m ON true
WHERE r.rolcanlogin AND r.rolname <> ALL (%s)
  AND (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls OR m.names IS NOT NULL)
UNION ALL
SELECT s.slot_name || ': replication slot, ' || s.slot_type FROM pg_catalog.pg_replication_slots s WHERE NOT s.temporary
ORDER BY 1
"""


async def look(connection: Connection, lent: Collection[str]) -> Observation:
    """What the server shows now; `lent` are its own accounts that are opened for one access at a time.

    No text is longer than 200 characters, and no list of accounts than 200 lines.
    """
    marks = {"made": OURS, "opened": ACCOUNT_OF, "named": NAMED, "accounts": [*lent]}
    cursor = await connection.execute(_OURS, marks)
    logins = [str(name) for (name,) in await cursor.fetchall()]
    cursor = await connection.execute(_SESSIONS, (logins,))
    sessions = tuple(
        SeenSession(
            process=int(str(process)),
            login=str(login),
            database=str(database)[:TEXT_MAX],
            application=str(application)[:TEXT_MAX],
            address=str(address)[:TEXT_MAX],
        )
        for process, login, database, application, address in await cursor.fetchall()
    )
    cursor = await connection.execute(_MIGHTY, (logins,))
    accounts = [str(line)[:TEXT_MAX] for (line,) in await cursor.fetchall()]
    if len(accounts) > ACCOUNTS_MAX:
        accounts = [*accounts[: ACCOUNTS_MAX - 1], f"… and {len(accounts) - ACCOUNTS_MAX + 1} more"]
    return Observation(sessions=sessions, logins=tuple(logins), accounts=tuple(accounts))
