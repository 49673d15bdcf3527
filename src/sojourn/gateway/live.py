"""What a gateway knows at this moment: live grants, tokens and targets, folded from the ledger as it grows.

- It holds no administrator's credential. What it may open is sealed to the gateway.
- A grant that ends, or is extended, is told to whoever watches it in the same turn of the loop in which the event
  arrives.
- It is ready once it has read everything that was there when it started; before that it lets nobody in.
- It forgets what is over, so it holds what is in use and not all that ever was. `begins` is the place before which
  nothing matters any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import msgspec

from sojourn.domain import account, grant
from sojourn.domain import standing as standings
from sojourn.domain.account import Token
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import (
    ConfigurationAdopted,
    GrantEnded,
    GrantExtended,
    GrantSessionStopped,
    RequestActivated,
    RequestDenied,
    RequestExpired,
    RequestSubmitted,
    RequestWithdrawn,
    TokenIssued,
    TokenPurpose,
)
from sojourn.domain.grant import Grant, Status
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import (
    CONFIGURATION,
    STANDING,
    GrantId,
    PersonId,
    RequestId,
    RoleName,
    StreamName,
    TargetName,
    grant_stream,
)
from sojourn.domain.people import Person
from sojourn.domain.sealed import Sealed, SealedMatter, SealingKey
from sojourn.domain.standing import NOTHING_SAID, Standing
from sojourn.domain.target import Target
from sojourn.errors import Code, SojournError
from sojourn.workflow.ports import Ledger

PREFIXES = ("grant/", "token/", "request/", CONFIGURATION, STANDING)
PAGE = 1000
REMEMBERED = timedelta(days=1)
"""So long it is known that a grant is over, to say so to whoever still tries."""
RETRY_SECONDS = 0.2
CATCH_UP_SECONDS = 2.0
"""So long whoever is about to be refused waits for the view to have read what is on record."""

Holder = TypeVar("Holder", bound=str)

EndWatcher = Callable[[GrantEnded | GrantExtended | GrantSessionStopped, datetime], None]
"""Told that a grant or one of its sessions has ended, or that its end has moved, and when that was recorded."""


class GatewayLedger(Ledger, Protocol):
    """What a gateway needs of the record. Implemented by `scribe.client` and `testing.ledger`."""

    def follow(self, start: int, prefixes: Sequence[str] = ()) -> AsyncIterator[tuple[Recorded, ...]]:
        """All entries of such streams from a place on, for ever."""
        ...

    async def read(self, start: int, limit: int, prefixes: Sequence[str] = ()) -> tuple[Recorded, ...]:
        """A page of entries of such streams from a place on; empty when there are no more."""
        ...

    async def matter(self, commitments: Sequence[str]) -> tuple[tuple[SealedMatter, SealingKey], ...]:
        """Sealed values with their keys."""
        ...

    async def attachment(self, sha256: str) -> bytes:
        """An attachment by its SHA-256 (hex)."""
        ...

    async def size(self) -> int:
        """How many entries there are."""
        ...


@dataclass(slots=True)
class LiveView:
    """The gateway's fold, up to the place `following`. `open_value` opens what is sealed to the gateway."""

    ledger: GatewayLedger
    open_value: Callable[[SealedMatter, SealingKey], bytes]
    following: int = 0
    catalogue: Catalogue | None = None
    standing: Standing = NOTHING_SAID
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _grants: dict[GrantId, Grant] = field(default_factory=dict)
    _versions: dict[GrantId, int] = field(default_factory=dict)
    _held: dict[PersonId, dict[GrantId, None]] = field(default_factory=dict)
    _requests: dict[PersonId, dict[StreamName, RequestSubmitted]] = field(default_factory=dict)
    _tokens: dict[PersonId, dict[str, Token]] = field(default_factory=dict)
    _keys: dict[str, dict[str, Token]] = field(default_factory=dict)
    _watchers: dict[GrantId, set[EndWatcher]] = field(default_factory=dict)
    _begun: dict[StreamName, int] = field(default_factory=dict)
    _configured: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, start: int = 0) -> None:
        """Read what there is from `start` on, say that the view is ready, and follow the ledger for ever.

        What is in force is read from its own streams, wherever it stands.
        """
        self.following = start
        for stream in (CONFIGURATION, STANDING):
            await self._take_latest(await self._stream(stream))
        while batch := await self._page(self.following):
            await self._take_all(batch)
        self.ready.set()
        async for batch in self.ledger.follow(self.following, PREFIXES):
            await self._take_all(batch)

    async def _take_all(self, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            await self._take(recorded)
        self.following = batch[-1].seq + 1
        self._moved.set()

    async def catch_up(self) -> None:
        """Return when what was on record at the call has been read, so that nobody is refused for what is there.

        Without the record, or when it takes too long, the view stays what it is.
        """
        with suppress(SojournError, TimeoutError):
            async with asyncio.timeout(CATCH_UP_SECONDS):
                size = await self.ledger.size()
                if unread := await self.ledger.read(self.following, PAGE, PREFIXES):
                    while self.following <= unread[-1].seq:
                        self._moved.clear()
                        await self._moved.wait()
                else:
                    # What there is is about sessions: whoever asks next need not look through it again.
                    self.following = max(self.following, size)

    async def _take_latest(self, entries: Sequence[Recorded]) -> None:
        """All entries of one stream; of configurations only the last one, as each is whole."""
        whole = [one for one in entries if isinstance(one.event, ConfigurationAdopted)]
        for recorded in whole[-1:] or entries:
            await self._take(recorded)

    async def _stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        while True:
            try:
                return await self.ledger.stream(stream)
            except SojournError as error:
                if error.code is not Code.RECORD_UNAVAILABLE:
                    raise
                await asyncio.sleep(RETRY_SECONDS)

    @property
    def begins(self) -> int:
        """The place before which there is nothing that this view still needs."""
        return min(self._begun.values(), default=self.following)

    def tidy(self, now: datetime) -> None:
        """Forget grants that have been gone for a day and are not in use, and tokens that are over."""
        for person, held in tuple(self._held.items()):
            for name in tuple(held):
                state = self._grants[name]
                if state.status is Status.REMOVED and state.end < now - REMEMBERED and name not in self._watchers:
                    del held[name], self._grants[name], self._versions[name]
                    self._begun.pop(grant_stream(name), None)
            if not held:
                del self._held[person]
        for person in tuple(self._tokens):
            self._forget(self._tokens, person, now)
        for key in tuple(self._keys):
            self._forget(self._keys, key, now)

    async def _page(self, start: int) -> tuple[Recorded, ...]:
        while True:
            try:
                return await self.ledger.read(start, PAGE, PREFIXES)
            except SojournError:
                await asyncio.sleep(RETRY_SECONDS)

    async def _attachment(self, sha256: str) -> bytes:
        """An attachment; while the record is away it is waited for."""
        while True:
            try:
                return await self.ledger.attachment(sha256)
            except SojournError as error:
                if error.code is not Code.RECORD_UNAVAILABLE:
                    raise
                await asyncio.sleep(RETRY_SECONDS)

    async def _take(self, recorded: Recorded) -> None:
        event, stream = recorded.event, recorded.stream
        if isinstance(event, ConfigurationAdopted):
            if recorded.version > self._configured:
                content = await self._attachment(event.catalogue_sha256)
                self.catalogue = msgspec.json.decode(content, type=Catalogue)
                self._configured = recorded.version
        elif stream == STANDING:
            if recorded.version > self.standing.version:
                self.standing = standings.evolve(self.standing, event)
        elif stream.startswith("grant/"):
            self._take_grant(GrantId(stream.removeprefix("grant/")), recorded)
        elif stream.startswith("token/"):
            self._take_token(stream, recorded)
        else:
            self._take_request(stream, recorded)

    def _take_request(self, stream: StreamName, recorded: Recorded) -> None:
        """Requests are kept while they may still become an access."""
        match event := recorded.event:
            case RequestSubmitted():
                self._begun[stream] = recorded.seq
                self._requests.setdefault(event.person, {})[stream] = event
            case RequestDenied() | RequestWithdrawn() | RequestExpired() | RequestActivated():
                self._begun.pop(stream, None)
                for person, held in tuple(self._requests.items()):
                    if held.pop(stream, None) is not None and not held:
                        del self._requests[person]

    def pending(self, person: PersonId, target: TargetName, role: RoleName | None) -> RequestId | None:
        """The newest request of the person for this that may still become an access."""
        for request in reversed(tuple(self._requests.get(person, {}).values())):
            if request.target == target and role in (None, request.role):
                return request.request
        return None

    def _take_grant(self, name: GrantId, recorded: Recorded) -> None:
        state = grant.evolve(self._grants.get(name), recorded.event)
        if state is None:
            return
        self._begun.setdefault(recorded.stream, recorded.seq)
        self._grants[name] = state
        self._versions[name] = recorded.version
        self._held.setdefault(state.created.person, {})[name] = None
        if isinstance(recorded.event, GrantEnded | GrantExtended | GrantSessionStopped):
            for watcher in tuple(self._watchers.get(name, ())):
                watcher(recorded.event, recorded.at)

    def _take_token(self, stream: StreamName, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, TokenIssued) and event.purpose is TokenPurpose.GATEWAY:
            state = account.evolve_token(None, event)
            assert state is not None
            self._begun[stream] = recorded.seq
            self._tokens.setdefault(event.person, {})[stream] = state
            return
        if isinstance(event, TokenIssued) and event.purpose is TokenPurpose.SSH:
            state = account.evolve_token(None, event)
            assert state is not None
            self._begun[stream] = recorded.seq
            self._keys.setdefault(event.secret_sha256, {})[stream] = state
            return
        for held in (*self._tokens.values(), *self._keys.values()):
            if stream in held:
                state = account.evolve_token(held[stream], event)
                assert state is not None
                held[stream] = state

    def person(self, person: PersonId) -> Person | None:
        """The person, if the configuration in force knows them and they have not left."""
        if self.catalogue is None or person in self.standing.left:
            return None
        return self.catalogue.person(person)

    def tokens(self, person: PersonId, now: datetime) -> tuple[Token, ...]:
        """The person's gateway tokens that are good at this moment; those that are over are forgotten."""
        held = self._forget(self._tokens, person, now)
        return tuple(held.values()) if self.person(person) is not None else ()

    def _forget(self, tokens: dict[Holder, dict[str, Token]], holder: Holder, now: datetime) -> dict[str, Token]:
        """Forget those of the holder's tokens that are over; gives the others."""
        held = tokens.get(holder, {})
        for stream, token in tuple(held.items()):
            if now >= token.issued.expires_at or token.revoked:
                del held[stream]
                self._begun.pop(StreamName(stream), None)
        if not held:
            tokens.pop(holder, None)
        return held

    def key(self, sha256: str, now: datetime) -> Token | None:
        """The live token of an SSH key, by the hash of its public half; None for a key that several persons claim."""
        held = self._forget(self._keys, sha256, now)
        if not held or len({token.issued.person for token in held.values()}) > 1:
            return None
        token = max(held.values(), key=lambda one: one.issued.expires_at)
        person = token.issued.person
        if self.catalogue is None or self.catalogue.person(person) is None or person in self.standing.left:
            return None
        return token

    def grants(self, person: PersonId) -> tuple[Grant, ...]:
        """Every grant that the person has or lately had."""
        return tuple(self._grants[name] for name in self._held.get(person, ()))

    def version(self, name: GrantId) -> int:
        """The version of the grant's stream that this view has seen."""
        return self._versions[name]

    def grant(self, name: GrantId) -> Grant:
        """One grant as it is now."""
        return self._grants[name]

    def target(self, name: TargetName) -> Target | None:
        """The target of that name in the configuration in force."""
        return None if self.catalogue is None else self.catalogue.target(name)

    def watch(self, name: GrantId, watcher: EndWatcher) -> Callable[[], None]:
        """Be told when the grant ends or is extended; gives the way to stop being told."""
        watchers = self._watchers.setdefault(name, set())
        watchers.add(watcher)

        def stop() -> None:
            watchers.discard(watcher)
            if not watchers:
                self._watchers.pop(name, None)

        return stop

    def is_over(self, name: GrantId) -> bool:
        """Whether the grant has ended, as far as this view knows."""
        return self._grants[name].status in (Status.ENDED, Status.REMOVED)

    async def open(self, sealed: Sealed) -> bytes:
        """The value behind a sealed field. Raises SojournError `record.damaged` when it is gone or not for us."""
        for matter, key in await self.ledger.matter([sealed.commitment]):
            return self.open_value(matter, key)
        raise SojournError(Code.RECORD_DAMAGED, problem="a sealed value is gone", path="ledger.db")
