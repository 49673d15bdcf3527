"""The tables of what was seen at targets, and the metadata that all tables share; see `tables`."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, String, Table

metadata = MetaData()

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("target", String, nullable=False),
    Column("at", String, nullable=False),
    Column("problem", String),
    Column("event", String),
)

finding = Table(
    "finding",
    metadata,
    Column("id", String, primary_key=True),
    Column("target", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("since", String, nullable=False),
    Column("place", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("last_at", String, nullable=False),
    Column("disposed", Integer, nullable=False),
    Column("disposition", String),
    Column("owner", String),
    Column("ticket", String),
    Column("remark", String),
    Column("disposed_by", String),
    Column("disposed_at", String),
)
"""Its `place` is one of its own in the order of the record: several findings come with one entry."""

for _names in ("", "target", "disposed", "target disposed"):
    Index(
        "_".join(("finding_by", *_names.split(), "place")), *(finding.c[one] for one in _names.split()), finding.c.place
    )
