"""Who may open what was sealed of a session, and how that gets on record before it is answered.

It opens for its holder, for those who were told of it or are to review it, and for auditors. Administering Sojourn is
no reason to read what was said in production.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from sojourn.domain.events import EvidenceForm
from sojourn.domain.people import Person
from sojourn.errors import Code, SojournError
from sojourn.projections import assured, queries, timeline
from sojourn.projections.queries import SessionRow
from sojourn.projections.timeline import ActionRow
from sojourn.web.exchange import PLACE_DIGITS_MAX, Exchange
from sojourn.web.looks import Looks
from sojourn.workflow.evidence import give_evidence

from . import session_shapes
from .record import visible_session


def may_open(exchange: Exchange, caller: Person, row: SessionRow) -> bool:
    """Whether the caller may open what is sealed of a session that they may see."""
    with exchange.services.projections.reading() as connection:
        grant = queries.grant(connection, row.grant)
        watches = grant is not None and assured.watches(connection, caller.id, grant.request)
    return caller.id == row.person or watches or caller.auditor


async def opener(exchange: Exchange) -> tuple[Person, SessionRow]:
    """The caller and the session that is named, for those who may open it.

    Raises SojournError `session.unknown`, or `permission.denied` for those who may see it and no more.
    """
    caller = await exchange.caller()
    row = visible_session(exchange, caller)
    if not may_open(exchange, caller, row):
        raise SojournError(
            Code.PERMISSION_DENIED,
            person=caller.id,
            action="read what was said and shown in this session",
            who="its holder, those who were told of it or are to review it, or an auditor",
        )
    return caller, row


async def statement(exchange: Exchange) -> session_shapes.ActionOpened:
    """GET /sessions/{name}/actions/{number}: open what one action said; the look is on record before it is answered."""
    caller, row = await opener(exchange)
    with exchange.services.projections.reading() as connection:
        action = timeline.action(connection, row.id, path_number(exchange))
    if action is None:
        raise SojournError(Code.ACTION_UNKNOWN, session=row.id, number=str(exchange.http.path_params["number"])[:20])
    detail, message = await _opened(exchange, action.detail), await _opened(exchange, action.message)
    said = (detail or b"") + (message or b"")
    if said:
        await look(exchange, caller, EvidenceForm.STATEMENT, subject_of(row.id, action.number), said)
    return _shown(action, detail, message)


def subject_of(session: str, number: int) -> str:
    """What a look at one action is about."""
    return f"session/{session}/{number}"


async def look(exchange: Exchange, caller: Person, form: EvidenceForm, subject: str, content: bytes) -> None:
    """Put on record that the caller is given `content`. Raises what the ledger raises: then nothing is given."""
    await give_evidence(
        exchange.services.office,
        form=form,
        subject=subject,
        person=caller.id,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        source=exchange.source,
    )


async def view(exchange: Exchange, caller: Person, row: SessionRow, number: int) -> None:
    """Put a look at a recording on record, once for a sign-in: what is named is the list of parts that there are."""
    looks: Looks = exchange.http.app.state.looks
    subject = subject_of(row.id, number)
    if looks.known(exchange.token.token, subject):
        return
    with exchange.services.projections.reading() as connection:
        parts = timeline.chunks(connection, row.id, number)
    if parts:
        listed = "\n".join(one.content for one in parts).encode()
        await look(exchange, caller, EvidenceForm.RECORDING, subject, listed)
        looks.remember(exchange.token.token, subject)


def path_number(exchange: Exchange) -> int:
    """The number in the path; 0, which no action has, for what is none."""
    given = str(exchange.http.path_params["number"])
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= PLACE_DIGITS_MAX else 0


async def _opened(exchange: Exchange, commitment: str | None) -> bytes | None:
    """The value behind a commitment; None when there is none or its key was destroyed."""
    if commitment is None:
        return None
    held = await exchange.services.matter([commitment])
    return exchange.services.open_value(*held[0]) if held else None


def _shown(action: ActionRow, detail: bytes | None, message: bytes | None) -> session_shapes.ActionOpened:
    said = _members(detail)
    binds = said.pop("binds", None)
    instead = said.pop("or_instead", [])
    text = _text(said, "text")
    return session_shapes.ActionOpened(
        session=action.session,
        number=action.number,
        verb=action.verb,
        readable=detail is not None,
        text=text,
        binds=tuple(_bind(place, one) for place, one in enumerate(binds or (), 1)),
        instead=tuple(_text(one, "text") for one in instead),
        details={name: _whole(value) if isinstance(value, str) else json.dumps(value) for name, value in said.items()},
        message="" if message is None else message.decode("utf-8", "backslashreplace"),
    )


def _members(detail: bytes | None) -> dict[str, Any]:
    if detail is None:
        return {}
    try:
        said = json.loads(detail)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {"text": detail.decode("utf-8", "backslashreplace")}


def _text(said: dict[str, Any], name: str) -> str:
    """A text that was kept as such, or as its exact bytes; it is taken out."""
    if f"{name}_base64" in said:
        return base64.b64decode(said.pop(f"{name}_base64")).decode("utf-8", "backslashreplace")
    return _whole(str(said.pop(name, "")))


def _whole(text: str) -> str:
    """Text without lone surrogates, which stand for bytes that were no UTF-8 and which JSON cannot carry."""
    return text.encode("utf-8", "backslashreplace").decode()


def _bind(number: int, value: object) -> session_shapes.BindShown:
    match value:
        case None:
            return session_shapes.BindShown(number=number, kind="null", value="")
        case {"text": str(text)}:
            return session_shapes.BindShown(number=number, kind="text", value=_whole(text))
        case {"base64": str(text)} | {"text_base64": str(text)}:
            return session_shapes.BindShown(number=number, kind="base64", value=text)
        case _:
            return session_shapes.BindShown(number=number, kind="text", value=json.dumps(value))
