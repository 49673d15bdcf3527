"""The tables of the read models. Everything in them is folded from the ledger and may be thrown away at any time.

Times are RFC 3339 text in UTC, which sorts as time does. Sealed values are kept by commitment only.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table

SCHEMA = 3
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
    Column("person", String, nullable=False, index=True),
    Column("target", String, nullable=False),
    Column("role", String, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("rules", String, nullable=False),
    Column("approvals", Integer, nullable=False),
    Column("status", String, nullable=False, index=True),
    Column("submitted_at", String, nullable=False),
    Column("due", String),
    Column("decided_at", String),
    Column("grant", String),
    Column("seq", Integer, nullable=False, index=True),
)

approver = Table(
    "approver",
    metadata,
    Column("request", String, primary_key=True),
    Column("person", String, primary_key=True, index=True),
    Column("decision", String),
    Column("decided_at", String),
    Column("comment", String),
)

grant = Table(
    "grant",
    metadata,
    Column("id", String, primary_key=True),
    Column("request", String, nullable=False, index=True),
    Column("person", String, nullable=False, index=True),
    Column("target", String, nullable=False),
    Column("role", String, nullable=False),
    Column("start", String, nullable=False),
    Column("end", String, nullable=False),
    Column("credential", String, nullable=False),
    Column("status", String, nullable=False, index=True),
    Column("observed", String),
    Column("cause", String),
    Column("ended_by", String),
    Column("ended_at", String),
    Column("removed_at", String),
    Column("problem", String),
    Column("seq", Integer, nullable=False, index=True),
)

session = Table(
    "session",
    metadata,
    Column("id", String, primary_key=True),
    Column("grant", String, nullable=False, index=True),
    Column("person", String, nullable=False, index=True),
    Column("target", String, nullable=False),
    Column("role", String, nullable=False),
    Column("source", String, nullable=False),
    Column("application", String, nullable=False),
    Column("opened_at", String, nullable=False),
    Column("closed_at", String, index=True),
    Column("cause", String),
    Column("actions", Integer, nullable=False),
    Column("cut_lag_us", Integer),
    Column("seq", Integer, nullable=False, index=True),
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
)

attempt = Table(
    "attempt",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("actor", String, nullable=False, index=True),
    Column("code", String, nullable=False),
    Column("subject", String, nullable=False, index=True),
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

FOLDED = (request, approver, grant, session, action, attempt, sealing_key)
"""Every table but the cursor."""
