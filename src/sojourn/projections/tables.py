"""The tables of the read models. Everything in them is folded from the ledger and may be thrown away at any time.

Times are RFC 3339 text in UTC, which sorts as time does. Sealed values are kept by commitment only.

Lists are newest first, a page at a time from a place (`seq`) on. So every index of a list ends in `seq`: the database
walks it from there, and a page costs the same however many rows there are.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, text

SCHEMA = 5
"""Raised with every change of a table: a file of another schema is dropped and rebuilt."""

metadata = MetaData()

cursor = Table(
    "cursor",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("following", Integer, nullable=False),
    Column("schema", Integer, nullable=False),
)

request = Table(
    "request",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("target", String, nullable=False),
    Column("role", String, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("rules", String, nullable=False),
    Column("approvals", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("submitted_at", String, nullable=False),
    Column("due", String),
    Column("decided_at", String),
    Column("grant", String),
    Column("seq", Integer, nullable=False),
)

approver = Table(
    "approver",
    metadata,
    Column("request", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("decision", String),
    Column("decided_at", String),
    Column("comment", String),
)

grant = Table(
    "grant",
    metadata,
    Column("id", String, primary_key=True),
    Column("request", String, nullable=False),
    Column("person", String, nullable=False),
    Column("target", String, nullable=False),
    Column("role", String, nullable=False),
    Column("start", String, nullable=False),
    Column("end", String, nullable=False),
    Column("credential", String, nullable=False),
    Column("status", String, nullable=False),
    Column("observed", String),
    Column("cause", String),
    Column("ended_by", String),
    Column("ended_at", String),
    Column("removed_at", String),
    Column("problem", String),
    Column("extended", Integer, nullable=False),
    Column("prolonged_to", String),
    Column("overdue_since", String),
    Column("seq", Integer, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("id", String, primary_key=True),
    Column("grant", String, nullable=False),
    Column("person", String, nullable=False),
    Column("target", String, nullable=False),
    Column("role", String, nullable=False),
    Column("source", String, nullable=False),
    Column("application", String, nullable=False),
    Column("opened_at", String, nullable=False),
    Column("process", Integer),
    Column("closed_at", String),
    Column("cause", String),
    Column("actions", Integer, nullable=False),
    Column("cut_lag_us", Integer),
    Column("seq", Integer, nullable=False),
)

action = Table(
    "action",
    metadata,
    Column("session", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("intended_at", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("may_write", Integer, nullable=False),
    Column("objects", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("outcome", String),
    Column("tags", String),
    Column("sqlstate", String),
    Column("rows", Integer),
    Column("bytes_out", Integer),
    Column("duration_us", Integer),
    Column("message", String),
    Column("seq", Integer, nullable=False),
    sqlite_with_rowid=False,
)

attempt = Table(
    "attempt",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("code", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("source", String, nullable=False),
    Column("details", String, nullable=False),
)

sealing_key = Table(
    "sealing_key",
    metadata,
    Column("key", String, primary_key=True),
    Column("values", Integer, nullable=False),
    Column("first_at", String),
    Column("last_at", String),
    Column("tombstone", Integer),
)

token = Table(
    "token",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("issued_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("revoked_at", String),
    Column("seq", Integer, nullable=False),
)

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("target", String, nullable=False),
    Column("at", String, nullable=False),
    Column("problem", String),
    Column("event", String),
)

for _table, _columns in (
    (reconciliation, ("target",)),
    (request, ("person", "status")),
    (request, ("person",)),
    (request, ("status",)),
    (grant, ("person", "target")),
    (grant, ("person", "status")),
    (grant, ("person",)),
    (grant, ("target",)),
    (grant, ("status",)),
    (grant, ("request",)),
    (session, ("grant",)),
    (session, ("person",)),
    (attempt, ("actor",)),
    (attempt, ("subject",)),
    (token, ("person",)),
):
    Index(f"{_table.name}_by_{'_'.join(_columns)}", *(_table.c[name] for name in _columns), _table.c.seq)
for _table in (request, grant, session):
    Index(f"{_table.name}_by_seq", _table.c.seq)
Index("session_open", session.c.seq, sqlite_where=text("closed_at IS NULL"))
Index("session_open_by_person", session.c.person, session.c.seq, sqlite_where=text("closed_at IS NULL"))
Index("approver_by_person", approver.c.person, approver.c.request)

FOLDED = (request, approver, grant, session, action, attempt, token, sealing_key, reconciliation)
"""Every table but the cursor."""
