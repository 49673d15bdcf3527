"""A real ledger store that is written by the scribe's own log, in this process and on a simulated clock.

What the workflow reads back is what it decided. What goes on record may be altered on the way, as somebody would who
can write the record: so that what looks for such things can be tried on a record that has them.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sojourn.domain.events import Event
from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import StreamName
from sojourn.domain.sealed import Sealing
from sojourn.errors import Code, SojournError
from sojourn.ledger.note import SigningKey
from sojourn.scribe import codec, protocol
from sojourn.scribe.log import Log
from sojourn.scribe.recovery import recover
from sojourn.scribe.sqlite_store import SqliteStore
from sojourn.settings import Layout
from sojourn.workflow.ports import Clock

Forgery = Callable[[Event], Event | None]
"""What goes on record in the place of an event; None for nothing at all."""

BATCH = 2000


@dataclass(slots=True)
class StoredLedger:
    """Implements `workflow.ports.Ledger` over a store. Streams whose name begins with `session/` are not read back."""

    log: Log
    clock: Clock
    forgery: Forgery | None = None
    attachments: dict[str, bytes] = field(default_factory=dict)
    _streams: dict[str, list[Recorded]] = field(default_factory=dict)

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        """See `workflow.ports.Ledger.append`."""
        await asyncio.sleep(0)
        for guard in guards:
            if len(self._streams.get(guard.stream, ())) != guard.seen:
                raise SojournError(Code.RECORD_STALE, stream=guard.stream)
        for change in changes:
            held = self._streams.setdefault(change.stream, [])
            recorded = Recorded(
                seq=self.log.size, at=self.clock.now(), stream=change.stream, version=len(held) + 1, event=change.event
            )
            if not change.stream.startswith("session/"):
                held.append(recorded)
        first = self.log.size
        self.write(changes, sealings=sealings, attachments=attachments)
        return Receipt(first=first, size=self.log.size, at=self.clock.now())

    def write(
        self, changes: Sequence[Change], *, sealings: Sequence[Sealing] = (), attachments: Sequence[bytes] = ()
    ) -> None:
        """Put events on record, many in one transaction; they are not read back."""
        written = [(change.stream, self._as_recorded(change.event)) for change in changes]
        drafts = [
            protocol.Draft(stream, event.kind, codec.encode(event), None)
            for stream, event in written
            if event is not None
        ]
        matter = [protocol.Matter(one.matter.commitment, one.matter.key, one.matter.ciphertext) for one in sealings]
        keys = [protocol.Key(one.key.key, one.key.subject, one.key.recipient, one.key.wrapped) for one in sealings]
        self.attachments.update({hashlib.sha256(one).hexdigest(): one for one in attachments})
        for start in range(0, len(drafts), BATCH):
            part = drafts[start : start + BATCH]
            rest = (matter, keys, list(attachments)) if start == 0 else ([], [], [])
            answers = self.log.append([protocol.Append(1, part, [], *rest)], arriving=0)
            if isinstance(answers[0], protocol.Refused):
                raise SojournError(Code(answers[0].code), **answers[0].details)

    async def attachment(self, sha256: str) -> bytes:
        """See `workflow.adopt.ConfigurationLedger.attachment`."""
        return self.attachments[sha256]

    def _as_recorded(self, event: Event) -> Event | None:
        return event if self.forgery is None else self.forgery(event)

    @contextmanager
    def forging(self, forgery: Forgery) -> Iterator[None]:
        """Alter what goes on record while the context lasts."""
        self.forgery = forgery
        try:
            yield
        finally:
            self.forgery = None

    async def stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        """See `workflow.ports.Ledger.stream`."""
        return tuple(self._streams.get(stream, ()))

    def forget(self, stream: StreamName) -> None:
        """Let go of a stream that nobody reads again."""
        self._streams.pop(stream, None)


@contextmanager
def stored_ledger(root: Path, clock: Clock) -> Iterator[StoredLedger]:
    """A ledger in the new directory `root`, as a stopped installation leaves it: signed, and with its verifier key."""
    layout = Layout(root=root)
    layout.configuration.mkdir(parents=True)
    root.chmod(0o700)
    key = SigningKey.generate("sample.localhost/ledger", secrets.token_bytes(32))
    layout.verifier_key.write_text(key.vkey() + "\n")
    store = SqliteStore(layout.ledger)
    log = recover(store, path=layout.ledger, anchor=layout.anchor, key=key, clock=clock.now, has_room=lambda _: True)
    yield StoredLedger(log=log, clock=clock)
    log.sign()
    store.close()
