"""The certificate of a destruction: what was destroyed, by whom, under which rule, with proofs that anybody can check.

A certificate is a pack like that of an access: the entries that decided and recorded the destruction, an inclusion
proof of each, the signed checkpoint that they lead to, and `certificate.txt` for people. `sojourn-verify` checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sojourn.domain.events import (
    HoldPlaced,
    KeysDestroyed,
    RecordsDisposed,
    RetentionChanged,
    ShreddingConfirmed,
    ShreddingRequested,
)
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import KEEPING
from sojourn.errors import Code, SojournError

from .attributes import moment_text
from .escape import visible
from .material import EvidenceLedger, over, prove, rotations
from .pack import bind, entry_files


async def certificate_of(
    name: str, *, ledger: EvidenceLedger, read_entry: Callable[[bytes], Recorded], cosigned: Callable[[], str]
) -> bytes:
    """The certificate (ZIP) of a disposal or a shredding. For `cosigned` see `Sources`.

    Raises SojournError `disposal.unknown` when nothing of that name was done, or the ledger's.
    """
    raw = {
        recorded.seq: (recorded, data) for data in await ledger.raw_stream(KEEPING) for recorded in (read_entry(data),)
    }
    entries = [recorded for recorded, _ in raw.values()]
    done = next((one for one in entries if _is_deed(one, name)), None)
    if done is None:
        raise SojournError(Code.DISPOSAL_UNKNOWN, disposal=name[:100])
    chosen = [one for one in entries if _belongs(one, name, done)]
    places = [one.seq for one in chosen]
    note, size = await over(ledger, max(places), cosigned())
    files = entry_files({seq: raw[seq][1] for seq in places}, await prove(ledger, places, size), note)
    text = "\n".join(_lines(name, done, chosen, note)) + "\n"
    turns = await rotations(ledger, read_entry)
    return bind({**files, "certificate.txt": text.encode()}, subject=KEEPING, checkpoint=note, rotations=turns)


def _is_deed(one: Recorded, name: str) -> bool:
    match one.event:
        case RecordsDisposed():
            return one.event.disposal == name
        case ShreddingConfirmed():
            return one.event.shredding == name
        case _:
            return False


def _belongs(one: Recorded, name: str, done: Recorded) -> bool:
    """Whether an entry is part of the deed: its own, its tombstones, and the rules that it was done under."""
    match one.event:
        case RecordsDisposed() | ShreddingConfirmed():
            return one.seq == done.seq
        case ShreddingRequested():
            return one.event.shredding == name
        case KeysDestroyed():
            return one.event.cause == name
        case RetentionChanged():
            return isinstance(done.event, RecordsDisposed) and one.seq < done.seq
        case HoldPlaced():
            return isinstance(done.event, RecordsDisposed) and one.event.hold in done.event.holds
        case _:
            return False


def _lines(name: str, done: Recorded, chosen: Sequence[Recorded], note: str) -> Iterator[str]:
    kind = "disposal" if isinstance(done.event, RecordsDisposed) else "shredding"
    yield f"Certificate of {kind} {name}"
    yield ""
    yield f"Ledger        {note.partition(chr(10))[0]}"
    yield f"Done at       {moment_text(done.at)}"
    yield from _deed(done, chosen)
    tombstones = [one for one in chosen if isinstance(one.event, KeysDestroyed)]
    keys = sum(len(one.event.keys) for one in tombstones if isinstance(one.event, KeysDestroyed))
    values = sum(one.event.values for one in tombstones if isinstance(one.event, KeysDestroyed))
    yield f"Destroyed     {keys} sealing keys; {values} values no longer open"
    for one in tombstones:
        event = one.event
        assert isinstance(event, KeysDestroyed)
        yield (
            f"  entry {one.seq}: {len(event.keys)} keys, {event.values} values of class {event.record_class} "
            f"about {visible(event.person)}"
        )
    yield ""
    yield "The keys were overwritten in the transaction that wrote these entries. What commits to the destroyed values"
    yield "stays in the ledger, so every earlier proof still holds. Copies of the store that were made before keep the"
    yield "keys: their own time has to end too."
    yield ""
    yield "This page proves nothing by itself. Check it with the ledger's public key, which has to come from elsewhere:"
    yield ""
    yield "    sojourn-verify THIS_FILE.zip --key LEDGER.vkey"


def _deed(done: Recorded, chosen: Sequence[Recorded]) -> Iterator[str]:
    match done.event:
        case RecordsDisposed():
            yield f"Done by       {visible(done.event.disposed_by)}"
            for one in done.event.classes:
                yield (
                    f"Rule          {one.record_class} is kept for {one.days} days: everything last sealed before "
                    f"{moment_text(one.sealed_before)} ({one.keys} keys, {one.values} values)"
                )
                if one.held_keys:
                    yield f"Held          {one.held_keys} keys of class {one.record_class} stay"
            if done.event.holds:
                yield f"Holds         {', '.join(done.event.holds)}"
        case ShreddingConfirmed():
            yield f"Asked for by  {visible(done.event.requested_by)}"
            yield f"Confirmed by  {visible(done.event.confirmed_by)}"
            for recorded in chosen:
                if isinstance(recorded.event, ShreddingRequested):
                    yield f"About         {visible(recorded.event.person)}: {', '.join(recorded.event.classes)}"
        case _:
            return
