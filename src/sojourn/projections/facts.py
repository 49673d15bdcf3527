"""What was told about the world: the last word about each thing."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, or_, select

from sojourn.domain.events import Event, FactTold, FactWithdrawn
from sojourn.domain.fact import Told
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import TargetName
from sojourn.domain.people import FactKind
from sojourn.domain.policy import Facts

from . import tables as t
from .moments import text
from .queries import PAGE_MAX
from .writer import Writer

_decoder = msgspec.json.Decoder(FactTold)


def fold_fact(event: Event, recorded: Recorded, write: Writer) -> None:
    """Keep what was told last; and of a ticket everybody whom it has ever named, for these may have carried it out."""
    if not isinstance(event, FactTold | FactWithdrawn):
        return
    key = {"fact": event.fact, "subject": event.subject}
    write.delete(t.fact, key)
    if isinstance(event, FactTold):
        told = msgspec.json.encode(event).decode()
        write.insert(t.fact, {**key, "until": text(event.until), "told": told, "seq": recorded.seq})
        for person in event.people if event.fact is FactKind.TICKET else ():
            named = {"ticket": event.subject, "person": person, "told_by": event.told_by}
            write.insert_new(t.executor, named)


def facts(
    connection: Connection,
    *,
    fact: str | None = None,
    subject: str | None = None,
    before: int | None = None,
    limit: int = PAGE_MAX,
) -> tuple[Told, ...]:
    """What was told, the last first, also what does not hold any more."""
    query = select(t.fact.c.told, t.fact.c.seq).order_by(t.fact.c.seq.desc()).limit(min(limit, PAGE_MAX))
    if fact is not None:
        query = query.where(t.fact.c.fact == fact)
    if subject is not None:
        query = query.where(t.fact.c.subject == subject)
    if before is not None:
        query = query.where(t.fact.c.seq < before)
    return tuple(Told(fact=_decoder.decode(told), seq=seq) for told, seq in connection.execute(query))


def about(connection: Connection, declared: Facts, target: TargetName, now: datetime) -> tuple[Told, ...]:
    """What holds at `now` of everything that a request may rest on."""
    fact, subject = t.fact.c.fact, t.fact.c.subject
    named = (
        (FactKind.DEPLOYMENT, target),
        (FactKind.INCIDENT, declared.incident_named),
        (FactKind.TICKET, declared.ticket_named),
    )
    one_of = [(fact == kind) & (subject == name) for kind, name in named if name]
    query = select(t.fact.c.told, t.fact.c.seq).where(
        or_(fact == FactKind.ON_CALL, *one_of), t.fact.c.until > text(now)
    )
    return tuple(Told(fact=_decoder.decode(told), seq=seq) for told, seq in connection.execute(query))
