"""The task that has a time-stamping authority put its time under the ledger's checkpoint, once an hour.

- The authority learns a hash and nothing else. Its token, the checkpoint that it is over and the root that it leads to
  are attachments of an entry, so the record binds them, and they are published wherever the ledger is.
- A stamp is due a while after the newest on record, whatever happened in between: that nothing was added is worth
  knowing too.
- An authority that does not answer is asked again, for ever, and nothing waits for it; out of reach for longer than the
  settings allow, it is on record as overdue.
- A token whose time is far from ours goes on record like any other, and so does that one of the two clocks is wrong.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx2
from cryptography import x509

from sojourn.codes import RECORD_WAITS
from sojourn.domain.events import CheckpointStamped
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PUBLICATION
from sojourn.errors import SojournError

from .asking import ANSWER_BYTES_MAX, HttpClient
from .tasks import Context, Signed
from .token import QUERY, TokenError, ask_for, check_token

RETRY_SECONDS = 2.0
RETRY_SECONDS_MAX = 60.0

CLOCKS_APART = "its time and that of this machine are too far apart: one of the two clocks is wrong"


@dataclass(slots=True, kw_only=True)
class Stamping:
    """What is needed to have checkpoints stamped.

    `root_pem` is the file with the certificates that tokens lead to, and `roots` are those. `keep` is given each
    checkpoint and token, for people to find the newest (it may raise OSError).
    """

    url: str
    root_pem: bytes
    roots: tuple[x509.Certificate, ...]
    open_http: HttpClient
    keep: Callable[[bytes, bytes], None]
    size: int = 0
    retry_seconds: float = RETRY_SECONDS
    _last: datetime | None = field(default=None)

    @property
    def place(self) -> str:
        """What the authority is called on record."""
        return f"timestamp:{urlsplit(self.url).hostname}"

    async def run(self, context: Context) -> None:
        """Have checkpoints stamped, for ever. Implements `tasks.Task`."""
        settings, pause = context.settings.timestamp, self.retry_seconds
        await self._resume(context)
        async with self.open_http() as http:
            while True:
                wait = self._seconds_left(context.clock.now(), settings.every)
                if wait > 0:
                    await context.sleep(min(wait, RETRY_SECONDS_MAX))
                    continue
                if await self._stamp(context, http):
                    pause = self.retry_seconds
                else:
                    await context.sleep(pause)
                    pause = min(RETRY_SECONDS_MAX, pause * 2)

    def _seconds_left(self, now: datetime, every: timedelta) -> float:
        """How long until a stamp is due; not at all when the clock was set back."""
        if self._last is None or now < self._last:
            return 0.0
        return (self._last + every - now).total_seconds()

    async def _resume(self, context: Context) -> None:
        """Find the newest stamp on record; waits for the record."""
        while True:
            try:
                recorded = await context.ledger.stream(PUBLICATION)
            except SojournError as error:
                if error.code not in RECORD_WAITS:
                    raise
                await context.sleep(self.retry_seconds)
            else:
                for one in recorded:
                    if isinstance(one.event, CheckpointStamped) and one.event.place == self.place:
                        self._last, self.size = one.at, one.event.size
                return

    async def _stamp(self, context: Context, http: httpx2.AsyncClient) -> bool:
        """Have the newest checkpoint stamped, and say how that went; whether it is on record."""
        try:
            signed = await context.sign()
            try:
                at = await self._record(context, http, signed)
            except TokenError as error:
                await context.observe(self.place, published=self.size, size=signed.head.size, problem=str(error))
                return False
        except SojournError as error:
            if error.code not in RECORD_WAITS:
                raise
            return False
        now = context.clock.now()
        self._last, self.size = now, signed.head.size
        apart = abs(at - now) > context.settings.timestamp.clocks_apart_max
        problem = CLOCKS_APART if apart else ""
        await context.observe(self.place, published=self.size, size=self.size, problem=problem, wrong=apart)
        return True

    async def _record(self, context: Context, http: httpx2.AsyncClient, signed: Signed) -> datetime:
        """Put a token over a checkpoint on record; gives its time. Raises TokenError, or SojournError."""
        note = signed.note.encode()
        query = ask_for(note)
        answer = await self._ask(http, query.data, context.settings.timestamp.answer_seconds)
        at = check_token(answer, note, self.roots, nonce=query.nonce)
        event = CheckpointStamped(
            place=self.place,
            size=signed.head.size,
            time=at,
            checkpoint_sha256=hashlib.sha256(note).hexdigest(),
            token_sha256=hashlib.sha256(answer).hexdigest(),
            root_sha256=hashlib.sha256(self.root_pem).hexdigest(),
        )
        change = Change(stream=PUBLICATION, event=event, seen=None)
        await context.ledger.append([change], attachments=[note, answer, self.root_pem])
        # A folder that cannot be written is its own affair, and on record as such; the stamp is in the ledger.
        with suppress(OSError):
            await asyncio.to_thread(self.keep, note, answer)
        return at

    async def _ask(self, http: httpx2.AsyncClient, query: bytes, seconds: float) -> bytes:
        body = bytearray()
        try:
            async with (
                asyncio.timeout(seconds),
                http.stream("POST", self.url, content=query, headers={"Content-Type": QUERY}) as response,
            ):
                if response.status_code != httpx2.codes.OK:
                    raise TokenError(f"it answers {response.status_code}")
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > ANSWER_BYTES_MAX:
                        raise TokenError("its answer is too long")
        except TimeoutError as error:
            raise TokenError(f"no answer within {seconds:g} seconds") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise TokenError(f"{type(error).__name__} {error}".strip()) from error
        return bytes(body)
