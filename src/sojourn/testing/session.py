"""A session as a gateway tells it, for tests and simulations: opened under a grant, some actions, closed."""

from __future__ import annotations

from collections.abc import Iterator

from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    CloseCause,
    Event,
    Outcome,
    SessionClosed,
    SessionOpened,
)
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import SessionId, TokenId
from sojourn.domain.sealed import Sealed

SEALED = Sealed(commitment="c" * 64, key="k-none")
"""Stands for statements; nothing opens it."""

ROWS, BYTES_IN, BYTES_OUT = 1, 40, 300
"""Of each action."""


def session_of(grant: Grant, session: SessionId, *, actions: int, first: int = 1) -> Iterator[Event]:
    """A whole session of `actions` reads, whose numbers begin at `first`."""
    created = grant.created
    yield SessionOpened(
        session=session,
        grant=grant.id,
        person=created.person,
        target=created.target,
        role=created.role,
        database="shop",
        token=TokenId("t-0000000001"),
        node="gateway-1",
        source="192.0.2.7:4711",
        application="psql",
        tls="TLSv1.3",
    )
    for number in range(first, first + actions):
        yield from action(session, number)
    yield SessionClosed(
        session=session,
        cause=CloseCause.CLIENT_CLOSED,
        actions=actions,
        bytes_in=BYTES_IN * actions,
        bytes_out=BYTES_OUT * actions,
    )


def action(session: SessionId, number: int, detail: Sealed = SEALED) -> Iterator[Event]:
    """A read and its outcome."""
    yield ActionIntended(
        session=session,
        number=number,
        protocol="postgres",
        verb="select",
        may_write=False,
        objects=("shop.orders",),
        detail=detail,
    )
    yield ActionCompleted(
        session=session,
        number=number,
        outcome=Outcome.COMPLETED,
        tags=("SELECT 1",),
        sqlstate="",
        rows=ROWS,
        bytes_in=BYTES_IN,
        bytes_out=BYTES_OUT,
        duration_us=700,
    )
