"""The ledger: its head, its copies and witnesses, and one entry with the proof that it is in there."""

from __future__ import annotations

import json

from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.errors import LedgerError
from sojourn.web.api import proving, record
from sojourn.web.exchange import PLACE_DIGITS_MAX, Exchange

from .frame import Onward, Shown, show


async def head(exchange: Exchange) -> Shown | Onward:
    """GET /ledger: the signed head, who else has it, and how it grew; with `number`, on to that entry."""
    caller = await exchange.caller()
    if chosen := exchange.query("number"):
        return _chosen(chosen.strip())
    shown = await record.ledger(exchange)
    witnesses, seen = _cosigned(shown.cosigned, shown.origin)
    return show(
        "ledger.html",
        ledger=shown,
        witnesses=witnesses,
        seen=seen,
        overseer=caller.administrator or caller.auditor,
    )


def _cosigned(note: str, origin: str) -> tuple[tuple[str, ...], int]:
    """Who signed the newest cosigned checkpoint, besides the ledger itself, and how many entries it covers."""
    if not note:
        return (), 0
    try:
        text, signatures = notes.split(note)
        size = checkpoints.parse(text).size
    except LedgerError:
        return (), 0
    return tuple(dict.fromkeys(name for name, _, _ in signatures if name != origin)), size


def _chosen(given: str) -> Onward:
    """On to the entry of that number."""
    if not (given.isascii() and given.isdecimal() and len(given) <= PLACE_DIGITS_MAX):
        raise SojournError(Code.INPUT_INVALID, problem="That is no number of an entry", expected="a number, from 0 on")
    return Onward(path=f"/ledger/entries/{int(given)}")


async def entry(exchange: Exchange) -> Shown:
    """GET /ledger/entries/{number}: an entry as it lies in the ledger, with its proof."""
    found = await proving.entry(exchange)
    content = json.loads(found.content)
    return show(
        "entry.html",
        entry=found,
        kind=content.get("kind", ""),
        stream=content.get("stream", ""),
        at=content.get("at", ""),
        readable=json.dumps(content, indent=2),
        verifier_key=exchange.services.verifier_key,
    )
