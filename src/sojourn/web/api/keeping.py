"""What is kept: holds, shredding, retention and disposal. For administrators; auditors may read all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from starlette.responses import Response

from sojourn.domain import register as registers
from sojourn.domain.confirmation import Action
from sojourn.domain.events import (
    Event,
    EvidenceForm,
    HoldPlaced,
    HoldReleased,
    HoldScope,
    RecordsDisposed,
    ShreddingConfirmed,
    ShreddingRequested,
)
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import KEEPING, HoldId, PersonId, ShreddingId
from sojourn.domain.people import Person
from sojourn.domain.register import DISPOSABLE, FLOOR_DAYS, Hold, Register, Shredding
from sojourn.domain.sealed import RecordClass
from sojourn.errors import Code, SojournError
from sojourn.projections.moments import text
from sojourn.web.exchange import PAGE, Exchange
from sojourn.workflow import hold as holding
from sojourn.workflow import retain, shred
from sojourn.workflow.loading import fold

from . import bodies
from . import keeping_shapes as shapes
from .auditing import given
from .confirming import confirmed, decided
from .viewing import opened

Named = TypeVar("Named", HoldScope, RecordClass)


async def holds(exchange: Exchange) -> shapes.Holds:
    """GET /holds: those in force; with `all`, released ones too."""
    await _reader(exchange)
    entries, register = await _read(exchange)
    everything, after = exchange.query("all") is not None, exchange.after()
    found = [one for one in register.holds.values() if everything or one.released is None]
    shown = [await _hold(exchange, entries, one) for one in found[after : after + PAGE]]
    more = len(found) > after + PAGE
    return shapes.Holds(holds=tuple(shown), more=more, next=after + PAGE if more else None)


async def place_hold(exchange: Exchange) -> shapes.HoldShown:
    """POST /holds: nothing that it covers is destroyed from here on."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Hold)
    scope = _one_of(HoldScope, sent.scope, "scope")
    coverage = exchange.settled(
        await holding.coverage_of(
            exchange.services.office.ledger, scope, sent.name, _moment(sent.start), _moment(sent.end)
        )
    )
    hold = exchange.settled(
        await holding.place_hold(
            exchange.services.office, coverage=coverage, reason=sent.reason, person=caller.id, source=exchange.source
        )
    )
    return await _hold_after(exchange, hold.placed.hold)


async def release_hold(exchange: Exchange) -> shapes.HoldShown:
    """POST /holds/{name}/release: the first to say so asks, a second one releases."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Confirmable)
    decision = decided(caller, Action.RELEASE_HOLD, f"hold/{exchange.name}")
    confirmation = await confirmed(exchange, decision, sent)
    hold = exchange.settled(
        await holding.release_hold(
            exchange.services.office,
            hold=HoldId(exchange.name),
            person=caller.id,
            source=exchange.source,
            confirmation=confirmation,
        )
    )
    return await _hold_after(exchange, hold.placed.hold)


async def shreddings(exchange: Exchange) -> shapes.Shreddings:
    """GET /shreddings: all that were ever asked for."""
    await _reader(exchange)
    entries, register = await _read(exchange)
    found, after = tuple(register.shreddings.values()), exchange.after()
    shown = [await _shredding(exchange, entries, one) for one in found[after : after + PAGE]]
    more = len(found) > after + PAGE
    return shapes.Shreddings(shreddings=tuple(shown), more=more, next=after + PAGE if more else None)


async def request_shredding(exchange: Exchange) -> shapes.ShreddingShown:
    """POST /shreddings: ask that what was sealed about somebody is made unreadable."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Shredding)
    classes = tuple(_one_of(RecordClass, one, "class") for one in sent.classes) or DISPOSABLE
    shredding = exchange.settled(
        await shred.request_shredding(
            exchange.services.office,
            subject=PersonId(sent.person),
            classes=classes,
            reason=sent.reason,
            person=caller.id,
            source=exchange.source,
            uses=exchange.services.key_uses,
        )
    )
    return await _shredding_after(exchange, shredding)


async def confirm_shredding(exchange: Exchange) -> shapes.ShreddingShown:
    """POST /shreddings/{name}/confirm: a second person does it. It cannot be undone."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    shredding = exchange.settled(
        await shred.confirm_shredding(
            exchange.services.office,
            shredding=ShreddingId(exchange.name),
            person=caller.id,
            source=exchange.source,
            uses=exchange.services.key_uses,
        )
    )
    return await _shredding_after(exchange, shredding)


async def withdraw_shredding(exchange: Exchange) -> shapes.ShreddingShown:
    """POST /shreddings/{name}/withdraw: it is not to be done after all."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    shredding = exchange.settled(
        await shred.withdraw_shredding(
            exchange.services.office, shredding=ShreddingId(exchange.name), person=caller.id, source=exchange.source
        )
    )
    return await _shredding_after(exchange, shredding)


async def retention(exchange: Exchange) -> shapes.Retention:
    """GET /retention: the schedule in force, what waits for a second person, and what was disposed of."""
    await _reader(exchange)
    entries, register = await _read(exchange)
    return _schedule(entries, register)


async def set_retention(exchange: Exchange) -> shapes.Retention:
    """POST /retention: ask that a class is kept for so many days from now on."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.KeepFor)
    exchange.settled(
        await retain.set_retention(
            exchange.services.office,
            record_class=_one_of(RecordClass, sent.record_class, "class"),
            days=sent.days,
            person=caller.id,
            source=exchange.source,
        )
    )
    return _schedule(*await _read(exchange))


async def confirm_retention(exchange: Exchange) -> shapes.Retention:
    """POST /retention/{name}/confirm: a second person agrees that this class is kept for so many days."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Days)
    exchange.settled(
        await retain.confirm_retention(
            exchange.services.office,
            record_class=_one_of(RecordClass, exchange.name, "class"),
            days=sent.days,
            person=caller.id,
            source=exchange.source,
        )
    )
    return _schedule(*await _read(exchange))


async def withdraw_retention(exchange: Exchange) -> shapes.Retention:
    """POST /retention/{name}/withdraw: the retention of this class stays as it is."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    exchange.settled(
        await retain.withdraw_retention(
            exchange.services.office,
            record_class=_one_of(RecordClass, exchange.name, "class"),
            person=caller.id,
            source=exchange.source,
        )
    )
    return _schedule(*await _read(exchange))


async def dispose(exchange: Exchange) -> shapes.DisposalShown:
    """POST /disposals: destroy what has been kept long enough and is not held."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    disposed = exchange.settled(
        await retain.dispose(
            exchange.services.office, person=caller.id, source=exchange.source, uses=exchange.services.key_uses
        )
    )
    await exchange.caught_up()
    entries, _ = await _read(exchange)
    return next(one for one in _disposals(entries) if one.disposal == disposed.disposal)


async def certificate(exchange: Exchange) -> Response:
    """GET /disposals/{name}/certificate: the proof of a disposal or a shredding, as a pack."""
    caller = await _reader(exchange)
    content = await exchange.services.certificate(exchange.name)
    return await given(exchange, caller, EvidenceForm.CERTIFICATE, f"disposal/{exchange.name}", content)


async def _reader(exchange: Exchange) -> Person:
    caller = await exchange.caller()
    if not (caller.administrator or caller.auditor):
        raise SojournError(
            Code.PERMISSION_DENIED,
            person=caller.id,
            action="see what is kept",
            who="an administrator or an auditor",
        )
    return caller


async def _read(exchange: Exchange) -> tuple[Sequence[Recorded], Register]:
    entries = await exchange.services.office.ledger.stream(KEEPING)
    return entries, fold(registers.evolve, entries) or Register()


def _one_of(kind: type[Named], name: str, what: str) -> Named:
    try:
        return kind(name)
    except ValueError as error:
        expected = ", ".join(kind)
        raise SojournError(
            Code.INPUT_INVALID, problem=f"{name[:50]!a} is no {what}", expected=f"one of {expected}"
        ) from error


def _moment(sent: str) -> datetime | None:
    if not sent:
        return None
    try:
        moment = datetime.fromisoformat(sent)
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() != timedelta(0):
        raise SojournError(
            Code.INPUT_INVALID,
            problem=f"{sent[:40]!a} is no moment in UTC",
            expected="a moment such as 2026-03-01T00:00:00Z",
        )
    return moment


def _when(entries: Sequence[Recorded], event: Event) -> str:
    """When an event of the register was recorded."""
    return text(next(one.at for one in entries if one.event == event))


async def _hold_after(exchange: Exchange, hold: HoldId) -> shapes.HoldShown:
    await exchange.caught_up()
    entries, register = await _read(exchange)
    return await _hold(exchange, entries, register.holds[hold])


async def _hold(exchange: Exchange, entries: Sequence[Recorded], hold: Hold) -> shapes.HoldShown:
    placed: HoldPlaced = hold.placed
    released: HoldReleased | None = hold.released
    waiting = "release asked for" if hold.release_requested_by else "in force"
    return shapes.HoldShown(
        hold=placed.hold,
        status="released" if released else waiting,
        scope=placed.scope,
        name=placed.name,
        people=placed.people,
        start=None if placed.start is None else text(placed.start),
        end=None if placed.end is None else text(placed.end),
        reason=await opened(exchange, placed.reason.commitment),
        placed_by=placed.placed_by,
        placed_at=_when(entries, placed),
        release_requested_by=hold.release_requested_by,
        release_confirmed_by=released.confirmed_by if released else None,
        released_at=_when(entries, released) if released else None,
    )


async def _shredding_after(exchange: Exchange, shredding: Shredding) -> shapes.ShreddingShown:
    await exchange.caught_up()
    return await _shredding(exchange, (await _read(exchange))[0], shredding)


async def _shredding(exchange: Exchange, entries: Sequence[Recorded], shredding: Shredding) -> shapes.ShreddingShown:
    requested: ShreddingRequested = shredding.requested
    confirmed: ShreddingConfirmed | None = shredding.confirmed
    over = "done" if confirmed else "withdrawn"
    return shapes.ShreddingShown(
        shredding=requested.shredding,
        status="pending" if shredding.open else over,
        person=requested.person,
        classes=requested.classes,
        reason=await opened(exchange, requested.reason.commitment),
        requested_by=requested.requested_by,
        requested_at=_when(entries, requested),
        confirmed_by=confirmed.confirmed_by if confirmed else None,
        confirmed_at=_when(entries, confirmed) if confirmed else None,
        keys=confirmed.keys if confirmed else 0,
        values=confirmed.values if confirmed else 0,
    )


def _schedule(entries: Sequence[Recorded], register: Register) -> shapes.Retention:
    classes = []
    for record_class, days in register.schedule.items():
        asked = register.changes.get(record_class)
        classes.append(
            shapes.RetentionShown(
                record_class=record_class,
                days=days,
                floor_days=FLOOR_DAYS[record_class],
                disposable=record_class in DISPOSABLE,
                change_days=asked.days if asked else None,
                change_requested_by=asked.requested_by if asked else None,
            )
        )
    return shapes.Retention(classes=tuple(classes), disposals=_disposals(entries))


def _disposals(entries: Sequence[Recorded]) -> tuple[shapes.DisposalShown, ...]:
    return tuple(
        shapes.DisposalShown(
            disposal=one.event.disposal,
            disposed_by=one.event.disposed_by,
            disposed_at=text(one.at),
            classes=tuple(part.record_class for part in one.event.classes),
            keys=sum(part.keys for part in one.event.classes),
            values=sum(part.values for part in one.event.classes),
            held_keys=sum(part.held_keys for part in one.event.classes),
            holds=one.event.holds,
        )
        for one in entries
        if isinstance(one.event, RecordsDisposed)
    )
