"""Puts a change of the signing key on record, before anything is signed, and sees whose turn it is at every start.

From the entry on, both keys sign each checkpoint (the overlap), until the pin of the ledger's key has moved to the new
one. A start whose key is not the one whose turn it is by the record is refused: nobody would believe what it signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sojourn.domain.events import LedgerKeyRotated
from sojourn.domain.identifiers import LEDGER
from sojourn.errors import Code, SojournError
from sojourn.ledger import entry as entries
from sojourn.ledger import rotation as rotations
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Signer, Verifier
from sojourn.ledger.rotation import Rotation

from . import codec
from .protocol import Append, Draft, Refused
from .rows import damaged

if TYPE_CHECKING:
    from .log import Log

TRIES = 100
"""Other scribes may write between two looks."""


def take_turns(log: Log, new: Signer | None) -> None:
    """Let the key of `log` sign, and `new` beside it, if there is one; its turn goes on record unless it is there.

    Raises SojournError `signing.changed` when the record says that it is another key's turn, or `new` was the ledger's
    key before; `record.damaged` when what it says is no change of keys; `record.full`; `signing.unavailable` when one
    of the two does not sign. What the store raises ends the process.
    """
    log.new_key = new
    for _ in range(TRIES):
        log.follow()
        chain = recorded(log)
        newest = chain[-1].new if chain else log.key.verifier()
        if new is None or newest == new.verifier():
            expected = chain[-1].old if chain and new is not None else newest
            _require(log.key.verifier(), expected)
            return
        _require(log.key.verifier(), newest)
        if new.verifier() in [key for one in chain for key in (one.old, one.new)]:
            raise SojournError(Code.SIGNING_CHANGED, vkey=new.vkey(), pinned=newest.vkey())
        answer = _record(log, new)
        if answer is None:
            return
        if answer.code is not Code.RECORD_STALE:
            raise SojournError(Code(answer.code), **answer.details)
    raise SojournError(Code.RECORD_STALE, stream=LEDGER)


def recorded(log: Log) -> tuple[Rotation, ...]:
    """The changes of keys on record."""
    try:
        return rotations.follow(statement_of(data) for _, data in log.store.stream(LEDGER, 0))
    except LedgerError as error:
        raise damaged(f"what is on record of the signing key does not hold ({error})") from error


def statement_of(data: bytes) -> str:
    """The statement in an entry's bytes. Raises LedgerError for another entry."""
    entry = entries.parse(data)
    event = codec.decode(entry.kind, entry.body)
    if not isinstance(event, LedgerKeyRotated):
        raise LedgerError(f"Entry {entry.seq} is no change of keys.")
    return event.statement


def check_followed(data: bytes, keys: Sequence[Signer]) -> None:
    """Another scribe has recorded a change of keys: go on only if its new key signs here, too.

    Raises SojournError `signing.changed` or `record.damaged`; the process ends.
    """
    try:
        new = rotations.parse(statement_of(data)).new
    except LedgerError as error:
        raise damaged(f"what is on record of the signing key does not hold ({error})") from error
    if new not in [key.verifier() for key in keys]:
        raise SojournError(Code.SIGNING_CHANGED, vkey=keys[0].vkey(), pinned=new.vkey())


def _record(log: Log, new: Signer) -> Refused | None:
    """Write the statement as the next entry, if it still is the next one."""
    size = log.size
    body = codec.encode(LedgerKeyRotated(statement=rotations.sign(size, log.key, new)))
    draft = Draft(LEDGER, LedgerKeyRotated.kind, body, None)
    log.by_itself = True
    try:
        (answer,) = log.append([Append(1, [draft])], arriving=len(body), at=size)
    finally:
        log.by_itself = False
    return answer if isinstance(answer, Refused) else None


def _require(key: Verifier, turn: Verifier) -> None:
    if key != turn:
        raise SojournError(Code.SIGNING_CHANGED, vkey=key.vkey(), pinned=turn.vkey())
