"""Begins a ledger that follows another one: before anything else is recorded, its first entry names that one.

Whoever has the key of the other ledger can go on with it and sign what they like, but they cannot put another history
before this one: the checkpoint in the first entry is older than the theft, and others vouch for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sojourn.domain.events import LedgerBegunAnew
from sojourn.domain.identifiers import ORIGIN
from sojourn.errors import Code, SojournError
from sojourn.ledger import entry as entries
from sojourn.ledger.errors import LedgerError

from . import codec
from .protocol import Append, Draft, Refused
from .rows import damaged

if TYPE_CHECKING:
    from .log import Log


def begin_anew(log: Log, before: LedgerBegunAnew) -> None:
    """See that the first entry is `before`: write it where nothing is on record, and compare it where something is.

    Raises SojournError `record.damaged` when the ledger begins with something else, `record.full`. What the store
    raises ends the process.
    """
    log.follow()
    if log.size == 0:
        body = codec.encode(before)
        log.by_itself = True
        try:
            (answer,) = log.append([Append(1, [Draft(ORIGIN, before.kind, body, 0)])], arriving=len(body), at=0)
        finally:
            log.by_itself = False
        # Another scribe over the same database may have been faster.
        if isinstance(answer, Refused) and answer.code is not Code.RECORD_STALE:
            raise SojournError(Code(answer.code), **answer.details)
        log.follow()
    first = log.store.entry(0)
    try:
        entry = None if first is None else entries.parse(first)
    except LedgerError as error:
        raise damaged(f"entry 0 cannot be read ({error})") from error
    if entry is None or entry.kind != before.kind or codec.decode(entry.kind, entry.body) != before:
        raise damaged("a ledger that was begun anew has to begin with what is in before.json, and this one does not")
