"""Who had which part in the accesses of a person to a role on a target: asked where duties are kept apart."""

from __future__ import annotations

from collections.abc import Collection

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


def executors_of_access(
    connection: Connection, person: str, target: str, role: str, *, accounts: Collection[str]
) -> tuple[str, ...]:
    """Who was ever named to carry out what they had it for, before or after they asked; they too if they ever had it.

    What one of `accounts`, which are theirs, has told is not counted.
    """
    query = select(t.request.c.facts).where(
        t.request.c.person == person,
        t.request.c.target == target,
        t.request.c.role == role,
        t.request.c.status == "activated",
    )
    found, tickets = set[str](), set[str]()
    for facts in connection.execute(query).scalars():
        known = msgspec.json.decode(facts)
        found |= {person, *known.get("executing", ())}
        tickets.add(known.get("ticket_named", ""))
    for ticket in sorted(tickets):
        named = select(t.executor.c.person).where(
            t.executor.c.ticket == ticket, t.executor.c.told_by.not_in(sorted(accounts))
        )
        found.update(connection.execute(named).scalars())
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
