"""Once: a program that had no answer repeats its call, and it is carried out one time at most.

- A call with a key is on record before it is carried out, so that of two at once one is carried out.
- What was answered is sealed and given again to whoever repeats the call. After a refusal the call may be tried anew.
- A call that was begun and never settled is not carried out again: nobody knows whether it had its effect.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from sojourn.domain.events import CallBegun, CallSettled
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, StreamName, call_stream
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal, SojournError

from .ports import Office


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A call that is to be carried out now. `seen` entries of its stream are on record."""

    stream: StreamName
    person: PersonId
    seen: int


async def begin(office: Office, *, person: PersonId, address: str, key: str, body: bytes) -> Begun | Sealed | Refusal:
    """Begin a call; or the answer that it had, or why it is not carried out. Raises SojournError from the ledger.

    `address` is method and path, `key` what the program chose for this one call.
    """
    stream = call_stream(hashlib.sha256("\n".join((person, address, key)).encode("utf-8", "replace")).hexdigest()[:32])
    # Keyed, for what was sent may hold a password that could be guessed from a plain digest.
    digest = hmac.digest(key.encode(), body, "sha256").hex()
    entries = await office.ledger.stream(stream)
    if entries:
        first, last = entries[0].event, entries[-1].event
        assert isinstance(first, CallBegun), "the stream of a call begins with it"
        if first.body_sha256 != digest:
            return Refusal(Code.CALL_KEY_REUSED, {"address": address})
        if not isinstance(last, CallSettled):
            return Refusal(Code.CALL_UNSETTLED, {"address": address})
        if last.answer is not None:
            return last.answer
    begun = CallBegun(person=person, address=address, body_sha256=digest)
    try:
        await office.ledger.append([Change(stream=stream, event=begun, seen=len(entries))])
    except SojournError as error:
        if error.code is Code.RECORD_STALE:
            return Refusal(Code.CALL_UNSETTLED, {"address": address})
        raise
    return Begun(stream=stream, person=person, seen=len(entries) + 1)


async def settle(office: Office, begun: Begun, answer: bytes | None) -> None:
    """Put on record what was answered, or (None) that it was refused. Raises SojournError from the ledger."""
    sealing = None if answer is None else office.sealer.seal(begun.person, answer)
    event = CallSettled(person=begun.person, answer=None if sealing is None else sealing.sealed)
    change = Change(stream=begun.stream, event=event, seen=begun.seen)
    await office.ledger.append([change], sealings=() if sealing is None else (sealing,))
