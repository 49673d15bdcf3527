"""What was done in one session: its actions, page by page and filtered, and the parts of its recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Select, func, select

from . import tables as t

PAGE_MAX = 500

RUNNING = "running"
"""Stands for the outcome of an action that has none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRow:
    """An action. `detail` and `message` are commitments."""

    session: str
    number: int
    intended_at: str
    verb: str
    may_write: int
    objects: str
    detail: str
    outcome: str | None
    tags: str | None
    sqlstate: str | None
    rows: int | None
    bytes_out: int | None
    duration_us: int | None
    message: str | None
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRow:
    """A part of the recording of one action. `content` is a commitment, `size` counts the bytes of what is sealed."""

    session: str
    number: int
    part: int
    size: int
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which actions are looked for; None is all. `search` is a piece of what they touched, in any case."""

    verb: str | None = None
    may_write: bool | None = None
    outcome: str | None = None
    search: str | None = None


ALL = Wanted()


def actions(
    connection: Connection, session: str, *, after: int = 0, limit: int = PAGE_MAX, wanted: Wanted = ALL
) -> tuple[ActionRow, ...]:
    """The actions of a session above number `after`, in order: those that are wanted."""
    query = select(t.action).where(t.action.c.session == session, t.action.c.number > after)
    query = _only(query, wanted).order_by(t.action.c.number).limit(max(0, min(limit, PAGE_MAX)))
    return tuple(ActionRow(**row._mapping) for row in connection.execute(query))


def _only(query: Select[tuple[object, ...]], wanted: Wanted) -> Select[tuple[object, ...]]:
    action = t.action.c
    if wanted.verb is not None:
        query = query.where(action.verb == wanted.verb)
    if wanted.may_write is not None:
        query = query.where(action.may_write == int(wanted.may_write))
    if wanted.outcome == RUNNING:
        query = query.where(action.outcome.is_(None))
    elif wanted.outcome is not None:
        query = query.where(action.outcome == wanted.outcome)
    if wanted.search is not None:
        query = query.where(func.instr(func.lower(action.objects), wanted.search.lower()) > 0)
    return query


def action(connection: Connection, session: str, number: int) -> ActionRow | None:
    """One action."""
    query = select(t.action).where(t.action.c.session == session, t.action.c.number == number)
    row = connection.execute(query).first()
    return None if row is None else ActionRow(**row._mapping)


def recorded(connection: Connection, session: str) -> tuple[int, ...]:
    """The actions of a session that have a recording, in order."""
    query = select(t.chunk.c.number).distinct().where(t.chunk.c.session == session, t.chunk.c.part == 1)
    return tuple(connection.execute(query.order_by(t.chunk.c.number)).scalars())


def chunks(
    connection: Connection, session: str, number: int, *, after: int = 0, limit: int = PAGE_MAX
) -> Sequence[ChunkRow]:
    """The parts of one recording above part `after`, in order."""
    chunk = t.chunk.c
    query = select(t.chunk).where(chunk.session == session, chunk.number == number, chunk.part > after)
    query = query.order_by(chunk.part).limit(max(0, min(limit, PAGE_MAX)))
    return tuple(ChunkRow(**row._mapping) for row in connection.execute(query))
