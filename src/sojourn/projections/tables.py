"""The tables of the read models. Everything in them is folded from the ledger and may be thrown away at any time.

Times are RFC 3339 text in UTC, which sorts as time does. Sealed values are kept by commitment only.

Lists are newest first, a page at a time from a place (`seq`) on. So every index of a list ends in `seq`: the database
walks it from there, and a page costs the same however many rows there are.
"""

from __future__ import annotations

from sqlalchemy import Column, Computed, Index, Integer, String, Table, text

from .looks import finding, metadata, reconciliation

__all__ = ["finding", "metadata", "reconciliation"]

SCHEMA = 13
"""Raised with every change of a table: a file of another schema is dropped and rebuilt."""

_TOOK_US = "CAST(round((julianday(decided_at) - julianday(submitted_at)) * 86400e6) AS INTEGER)"

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
    Column("revision", Integer, nullable=False),
    Column("start", String),
    Column("extends", String),
    Column("since", String),
    Column("break_glass", Integer, nullable=False),
    Column("automatic", String, nullable=False),
    Column("escalate_at", String),
    Column("escalated_at", String),
    Column("cause", String),
    Column("facts", String, nullable=False),
    Column("groups", String, nullable=False),
    Column("took_us", Integer, Computed(_TOOK_US, persisted=False)),
    Column("seq", Integer, nullable=False),
)

comment = Table(
    "comment",
    metadata,
    Column("request", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person", String, nullable=False),
    Column("at", String, nullable=False),
    Column("text", String, nullable=False),
    Column("question", Integer, nullable=False),
    Column("answers", Integer),
    Column("answered", Integer, nullable=False),
)

approver = Table(
    "approver",
    metadata,
    Column("request", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("decision", String),
    Column("decided_at", String),
    Column("comment", String),
    Column("acted", String),
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
    Column("leftovers", String),
    Column("break_glass", Integer, nullable=False),
    Column("review_within", Integer),
    Column("review_opened", Integer),
    Column("day", String, Computed("substr(start, 1, 10)", persisted=False)),
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
    Column("closed_at", String),
    Column("cause", String),
    Column("actions", Integer, nullable=False),
    Column("cut_lag_us", Integer),
    Column("seq", Integer, nullable=False),
)

reached = Table(
    "reached",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("session", String, nullable=False, index=True),
    Column("process", Integer, nullable=False),
    Column("at", String, nullable=False),
)
"""By what number a target knows a session; one that has several connections there has as many."""

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

chunk = Table(
    "chunk",
    metadata,
    Column("session", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("content", String, nullable=False),
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

glass = Table(
    "glass",
    metadata,
    Column("grant", String, primary_key=True),
    Column("request", String, nullable=False),
    Column("person", String, nullable=False),
    Column("taken_at", String, nullable=False),
    Column("seq", Integer, nullable=False),
)

told = Table(
    "told",
    metadata,
    Column("grant", String, primary_key=True),
    Column("person", String, primary_key=True),
)

review = Table(
    "review",
    metadata,
    Column("grant", String, primary_key=True),
    Column("request", String, nullable=False),
    Column("person", String, nullable=False),
    Column("status", String, nullable=False),
    Column("due", String, nullable=False),
    Column("break_glass", Integer, nullable=False),
    Column("declared", String, nullable=False),
    Column("checklist", String, nullable=False),
    Column("opened_at", String, nullable=False),
    Column("reviewer", String),
    Column("outcome", String),
    Column("answers", String),
    Column("remark", String),
    Column("concluded_at", String),
    Column("sessions", Integer),
    Column("actions", Integer),
    Column("writes", Integer),
    Column("seq", Integer, nullable=False),
)

reviewer = Table(
    "reviewer",
    metadata,
    Column("grant", String, primary_key=True),
    Column("person", String, primary_key=True),
)

note = Table(
    "note",
    metadata,
    Column("grant", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person", String, nullable=False),
    Column("at", String, nullable=False),
    Column("text", String, nullable=False),
    Column("question", Integer, nullable=False),
    Column("answers", Integer),
    Column("answered", Integer, nullable=False),
)

fact = Table(
    "fact",
    metadata,
    Column("fact", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("until", String, nullable=False),
    Column("told", String, nullable=False),
    Column("seq", Integer, nullable=False),
)

executor = Table(
    "executor",
    metadata,
    Column("ticket", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("told_by", String, primary_key=True),
)
"""Whom a ticket has ever named to carry it out, also if it does not any more."""

campaign = Table(
    "campaign",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", String, nullable=False),
    Column("status", String, nullable=False),
    Column("opened_by", String, nullable=False),
    Column("opened_at", String, nullable=False),
    Column("due", String, nullable=False),
    Column("closed_at", String),
    Column("items", Integer, nullable=False),
    Column("undecided", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("proven", Integer, nullable=False),
    Column("configuration_version", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
)

campaign_item = Table(
    "campaign_item",
    metadata,
    Column("campaign", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person", String, nullable=False),
    Column("target", String, nullable=False),
    Column("role", String, nullable=False),
    Column("rules", String, nullable=False),
    Column("reviewers", String, nullable=False),
    Column("decision", String),
    Column("decided_by", String),
    Column("decided_at", String),
    Column("comment", String),
    Column("proven_at", String),
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
    (review, ("status",)),
    (review, ("person",)),
    (review, ("request",)),
    (glass, ("request",)),
    (campaign, ("status",)),
    (fact, ("fact",)),
):
    Index(f"{_table.name}_by_{'_'.join(_columns)}", *(_table.c[name] for name in _columns), _table.c.seq)
for _table in (request, grant, session, review, campaign, fact):
    Index(f"{_table.name}_by_seq", _table.c.seq)
Index("request_to_escalate", request.c.escalate_at, sqlite_where=text("status = 'pending' AND escalated_at IS NULL"))
Index("grant_to_review", grant.c.ended_at, sqlite_where=text("review_within IS NOT NULL AND review_opened IS NULL"))
Index("review_due", review.c.due, sqlite_where=text("status = 'open'"))
Index("review_waiting", review.c.seq, sqlite_where=text("status <> 'concluded'"))
Index("campaign_item_by_what", campaign_item.c.campaign, campaign_item.c.person, campaign_item.c.target)
Index("campaign_item_by_access", campaign_item.c.person, campaign_item.c.target, campaign_item.c.role)
Index("grant_by_day", grant.c.day, grant.c.break_glass)
Index("request_by_submitted", request.c.submitted_at, request.c.approvals, request.c.took_us)
Index("session_cut", session.c.closed_at, session.c.cut_lag_us, sqlite_where=text("cut_lag_us IS NOT NULL"))
Index("session_open", session.c.seq, sqlite_where=text("closed_at IS NULL"))
Index("session_open_by_person", session.c.person, session.c.seq, sqlite_where=text("closed_at IS NULL"))
Index("told_by_person", told.c.person)
Index("approver_by_person", approver.c.person, approver.c.decided_at)

NOT_OVERDUE_YET, NOT_CONCLUDED = text("review.status = 'open'"), text("review.status <> 'concluded'")
NOT_ESCALATED = text("request.status = 'pending' AND request.escalated_at IS NULL")
CUT = text("session.cut_lag_us IS NOT NULL")
"""As they stand in the indexes: SQLite uses a partial index only for a condition without a parameter."""

FOLDED = (
    request,
    approver,
    comment,
    grant,
    session,
    reached,
    action,
    chunk,
    attempt,
    token,
    sealing_key,
    reconciliation,
    finding,
    glass,
    told,
    review,
    reviewer,
    note,
    campaign,
    campaign_item,
    fact,
    executor,
)
"""Every table but the cursor."""
