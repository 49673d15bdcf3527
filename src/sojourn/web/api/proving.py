"""Proofs from the ledger: that an entry is in it, and that it only ever grew."""

from __future__ import annotations

import base64

from starlette.responses import Response

from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.proof import Proof
from sojourn.web.exchange import PLACE_DIGITS_MAX, Exchange

from . import proof_shapes
from .answering import HEADERS


async def consistency(exchange: Exchange) -> proof_shapes.ConsistencyShown:
    """GET /ledger/consistency?old=N: that the ledger of now only appended to the one of N entries (RFC 6962, 2.1.2)."""
    await exchange.caller()
    note = await exchange.services.sign()
    size = checkpoints.parse(note.partition("\n\n")[0] + "\n").size
    old = _number(exchange.query("old"))
    if old is None or old > size:
        raise SojournError(Code.INPUT_INVALID, problem="There is no such ledger", expected=f"`old` from 0 to {size}")
    hashes = await exchange.services.consistency(old, size)
    return proof_shapes.ConsistencyShown(old=old, size=size, hashes=_texts(hashes), checkpoint=note)


async def entry(exchange: Exchange) -> proof_shapes.EntryShown:
    """GET /ledger/entries/{number}: an entry as it lies in the ledger, with the proof that it is in there."""
    number, proof = await _proof(exchange)
    (content,) = await exchange.services.entries([number])
    return proof_shapes.EntryShown(
        number=number, content=content.decode(), hashes=_texts(proof.hashes), checkpoint=proof.checkpoint_note
    )


async def proof_file(exchange: Exchange) -> Response:
    """GET /ledger/entries/{number}/proof: the same proof as a file that strangers' programs read (C2SP tlog-proof)."""
    number, proof = await _proof(exchange)
    name = {"content-disposition": f'attachment; filename="entry-{number}.tlog-proof"'}
    return Response(proof.format(), 200, {**HEADERS, **name}, media_type="text/plain; charset=utf-8")


async def _proof(exchange: Exchange) -> tuple[int, Proof]:
    """The entry that is named in the path, proven in the ledger as it is now. Raises SojournError `entry.unknown`."""
    caller = await exchange.caller()
    if not (caller.administrator or caller.auditor):
        raise SojournError(
            Code.PERMISSION_DENIED, person=caller.id, action="see entries", who="an administrator or an auditor"
        )
    given = str(exchange.http.path_params["number"])
    number, note = _number(given), await exchange.services.sign()
    size = checkpoints.parse(note.partition("\n\n")[0] + "\n").size
    if number is None or number >= size:
        raise SojournError(Code.ENTRY_UNKNOWN, number=given[:20], size=str(size))
    (hashes,) = await exchange.services.prove([number], size)
    return number, Proof(index=number, hashes=hashes, checkpoint_note=note)


def _number(given: str | None) -> int | None:
    whole = given is not None and given.isascii() and given.isdecimal() and len(given) <= PLACE_DIGITS_MAX
    return int(given or "") if whole else None


def _texts(hashes: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(base64.b64encode(one).decode() for one in hashes)
