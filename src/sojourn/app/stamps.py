"""Checks the time stamps on record against the ledger that they are about.

- Each token is over the checkpoint that its entry names, leads to a trusted root, and has the time that the entry says.
- That checkpoint is signed by the ledger's key of that size, and its root is that of the entries that are there.
- Nothing that a stamp covers says that it happened after it, and nothing that it does not cover that it happened before
  it: whoever backdates has to deceive the authority too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from sojourn.domain.events import CheckpointStamped
from sojourn.domain.identifiers import LEDGER
from sojourn.domain.publication import statements
from sojourn.ledger import rotation as rotations
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.entry import at_of, format_time
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import Tree, leaf_hash
from sojourn.ledger.note import Verifier
from sojourn.ledger.rotation import Rotation
from sojourn.publisher.token import TokenError, check_token
from sojourn.scribe import codec

from .kept import PAGE, Kept, damaged
from .verifying import Verdict

TARGET = "time stamps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom a stamp has to lead to, and how far an entry's time may be from that of a stamp beside it."""

    key: Verifier
    roots: tuple[x509.Certificate, ...]
    apart: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamp:
    """A stamp that holds: the checkpoint, and the time before which it was there."""

    seq: int
    head: Checkpoint
    time: datetime


def check_stamps(kept: Kept, trust: Trust) -> Verdict | None:
    """What is wrong with the stamps on record; None if there are none. Goes through the whole ledger once.

    Raises SojournError `record.damaged` for bytes that are no entry, or `tool.missing`.
    """
    problems: list[dict[str, str]] = []
    good, count, chain = [], 0, rotations_on_record(kept)
    for seq, event in _on_record(kept):
        count += 1
        try:
            good.append(_opened(kept, seq, event, trust, chain))
        except (TokenError, LedgerError) as error:
            problems.append(_problem("timestamp.altered", f"entry {seq}", str(error)))
    if not count:
        return None
    problems += _compare(kept, sorted(good, key=lambda one: (one.head.size, one.time)), trust.apart)
    size = max((one.head.size for one in good), default=None)
    return Verdict(target=TARGET, size=size, checked={"time stamps": count}, problems=tuple(problems))


def _on_record(kept: Kept) -> Iterator[tuple[int, CheckpointStamped]]:
    for entry in kept.stream("publication"):
        if entry.kind == CheckpointStamped.kind:
            event = codec.decode(entry.kind, entry.body)
            assert isinstance(event, CheckpointStamped)
            yield entry.seq, event


def rotations_on_record(kept: Kept) -> tuple[Rotation, ...]:
    """The changes of the ledger's key. Raises SojournError `record.damaged`."""
    try:
        events = [codec.decode(entry.kind, entry.body) for entry in kept.stream(LEDGER)]
        return rotations.follow(rotations.split(statements(events)))
    except LedgerError as error:
        raise damaged(kept.path, f"what is on record of the signing key does not hold ({error})") from error


def _opened(kept: Kept, seq: int, event: CheckpointStamped, trust: Trust, chain: Sequence[Rotation]) -> _Stamp:
    """Raises TokenError or LedgerError for a stamp that does not hold."""
    note = _attachment(kept, event.checkpoint_sha256, "checkpoint")
    token = _attachment(kept, event.token_sha256, "token")
    if not trust.roots:
        raise TokenError("there is no root certificate to check it with")
    time = check_token(token, note, trust.roots)
    if time != event.time:
        raise TokenError(f"its token is of {format_time(time)}, and the entry says {format_time(event.time)}")
    try:
        head = rotations.open_checkpoint(note.decode(), trust.key, chain)
    except UnicodeDecodeError as error:
        raise LedgerError("its checkpoint is no text") from error
    if head.size != event.size or head.size > seq:
        raise LedgerError(f"its checkpoint is of {head.size} entries, and the entry says {event.size}")
    return _Stamp(seq=seq, head=head, time=time)


def _attachment(kept: Kept, sha256: str, what: str) -> bytes:
    content = kept.attachment(sha256)
    if content is None or hashlib.sha256(content).hexdigest() != sha256:
        raise TokenError(f"the {what} that it names is {'missing' if content is None else 'another'}")
    return content


def _compare(kept: Kept, stamps: Sequence[_Stamp], apart: timedelta) -> Iterator[dict[str, str]]:
    """Hold the stamps, in the order of their sizes, against every entry."""
    tree, position = Tree(), 0
    earliest = ""
    for stamp in (*stamps, None):
        end = kept.size() if stamp is None else stamp.head.size
        latest = "" if stamp is None else format_time(stamp.time + apart)
        while position < end:
            page = list(kept.raw(position, min(position + PAGE, end)))
            if not page:
                break
            tree.extend([leaf_hash(data) for data in page])
            yield from _outside(page, position, earliest, latest)
            position += len(page)
        if stamp is None:
            return
        if position != end or tree.root() != stamp.head.root:
            text = f"it is over other entries than the first {stamp.head.size} that are there"
            yield _problem("timestamp.other_history", f"entry {stamp.seq}", text)
        earliest = max(earliest, format_time(stamp.time - apart))


def _outside(page: Sequence[bytes], first: int, earliest: str, latest: str) -> Iterator[dict[str, str]]:
    """The entries of a page that say an impossible time. All times have one form, so they compare as text."""
    for place, data in enumerate(page, first):
        at = at_of(data)
        if at < earliest:
            yield _problem("timestamp.backdated", f"entry {place}", f"it says {at}, and was not there yet by a stamp")
        elif latest and at > latest:
            yield _problem("timestamp.postdated", f"entry {place}", f"it says {at}, and was there before by a stamp")


def _problem(code: str, where: str, text: str) -> dict[str, str]:
    return {"code": code, "where": where, "text": text.rstrip(".")}
