"""Who had which part in the accesses of a person to a role on a target: asked where duties are kept apart."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, func, select

from . import tables as t


def approvers_of_access(connection: Connection, person: str, target: str, role: str) -> tuple[str, ...]:
    """Who approved one of their requests for it, and in whose place."""
    query = (
        select(t.approver.c.person, t.approver.c.acted)
        .join(t.request, t.request.c.id == t.approver.c.request)
        .where(t.request.c.person == person, t.request.c.target == target, t.request.c.role == role)
        .where(t.approver.c.decision == "approved")
    )
    return tuple(sorted({one for row in connection.execute(query) for one in row if one}))


def executors_of_access(connection: Connection, person: str, target: str, role: str) -> tuple[str, ...]:
    """Who was named to carry out what they had it for; they themselves if they ever had it."""
    query = select(t.request.c.facts).where(
        t.request.c.person == person,
        t.request.c.target == target,
        t.request.c.role == role,
        t.request.c.status == "activated",
    )
    found: set[str] = set()
    for facts in connection.execute(query).scalars():
        found |= {person, *msgspec.json.decode(facts).get("executing", ())}
    return tuple(sorted(found))


def reviewers_of_access(connection: Connection, person: str, target: str, role: str) -> tuple[str, ...]:
    """Who concluded a review of it."""
    query = (
        select(t.review.c.reviewer)
        .distinct()
        .join(t.grant, t.grant.c.id == t.review.c["grant"])
        .where(t.grant.c.person == person, t.grant.c.target == target, t.grant.c.role == role)
        .where(t.review.c.reviewer.is_not(None))
    )
    return tuple(sorted(connection.execute(query).scalars()))


def certified_by(connection: Connection, person: str, target: str, role: str) -> tuple[str, ...]:
    """Who confirmed in a certification that they may have it."""
    item = t.campaign_item.c
    query = (
        select(func.distinct(item.decided_by))
        .where(item.person == person, item.target == target, item.role == role)
        .where(item.decision == "kept")
    )
    return tuple(sorted(one for one in connection.execute(query).scalars() if one))
