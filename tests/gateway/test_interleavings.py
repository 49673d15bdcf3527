"""Whatever comes in whatever order: no byte of a statement precedes its durable intent, nor any byte of its result.

A real relay, conversation, recorder and journal between a client, a target and a disk that a test moves step by step:
some bytes of the client, one answer of the target, one append that becomes durable, fails, or is durable and its answer
lost. Each statement carries a mark, and so does each row that the target answers with.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.domain.events import ActionCompleted, ActionIntended, Event, SessionOpened
from sojourn.domain.history import Change, Guard, Receipt, Recorded
from sojourn.domain.identifiers import GrantId, PersonId, RoleName, SessionId, StreamName, TargetName, TokenId
from sojourn.domain.sealed import Sealing
from sojourn.errors import Code, Refusal, SojournError
from sojourn.gateway.journal import Journal
from sojourn.gateway.postgres import frontend
from sojourn.gateway.postgres.relay import Relay
from sojourn.gateway.postgres.wire import Splitter
from sojourn.gateway.recorder import SessionRecorder
from sojourn.scribe import codec
from sojourn.scribe.protocol import Draft
from sojourn.testing.sealer import FixedSealer

from .raw import SYNC, execute, message, parse, query

MARK = re.compile(rb"m\d{4}")
ERROR = message("E", b"SERROR\0C22012\0Mbad\0\0")
SESSION = SessionId("s-0000000001")

SAID = st.lists(st.sampled_from(["Q", "Q", "QB", "P", "B", "B", "E", "E", "S", "S", "H", "C", "D"]), max_size=14)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("client"), st.integers(1, 120)),
        st.tuples(st.just("target"), st.integers(1, 3)),
        st.tuples(st.just("disk"), st.sampled_from(["durable", "durable", "durable", "failed", "answer lost"])),
        st.tuples(st.just("turn"), st.integers(1, 3)),
    ),
    max_size=60,
)


@dataclass
class Disk:
    """The record. What is appended waits until the test says what becomes of it."""

    waiting: deque[tuple[Sequence[Draft], Sequence[Sealing], Callable[[SojournError | None], None]]] = field(
        default_factory=deque
    )
    entries: list[Event] = field(default_factory=list)
    marks: set[bytes] = field(default_factory=set)
    healthy: bool = False

    def append_drafts(
        self, drafts: Sequence[Draft], sealings: Sequence[Sealing], answered: Callable[[SojournError | None], None]
    ) -> None:
        self.waiting.append((drafts, sealings, answered))
        if self.healthy:
            asyncio.get_running_loop().call_soon(self.settle, "durable")

    def settle(self, how: str) -> None:
        """What has waited longest is durable, or failed, or durable and nobody hears of it."""
        if not self.waiting:
            return
        drafts, sealings, answered = self.waiting.popleft()
        if how != "failed":
            self.entries += [codec.decode(draft.kind, draft.body) for draft in drafts]
            self.marks |= {mark for one in sealings for mark in MARK.findall(one.ciphertext)}
        answered(None if how == "durable" else SojournError(Code.RECORD_UNAVAILABLE))

    async def stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        return tuple(
            Recorded(seq=place, at=datetime.now(UTC), stream=stream, version=place + 1, event=event)
            for place, event in enumerate(self.entries)
        )

    async def append(
        self,
        changes: Sequence[Change],
        *,
        guards: Sequence[Guard] = (),
        sealings: Sequence[Sealing] = (),
        attachments: Sequence[bytes] = (),
    ) -> Receipt:
        raise NotImplementedError("a session writes by its journal")


class Wire(asyncio.Transport):
    """One side of the relay: keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = bytearray()
        self.protocol: asyncio.Protocol | None = None
        self.over = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.over, "written after the end"
        self.sent += data

    def is_closing(self) -> bool:
        return self.over

    def close(self) -> None:
        if not self.over:
            self.over = True
            assert self.protocol is not None
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close

    def pause_reading(self) -> None:
        """What is not read waits with the test."""

    resume_reading = pause_reading


@dataclass
class Target:
    """Answers what has reached it, one message after the other; rows carry the mark of their statement."""

    splitter: Splitter = field(default_factory=lambda: Splitter(frontend.session_limits(1 << 20)))
    read: int = 0
    frames: deque[tuple[str, bytes]] = field(default_factory=deque)
    skipping: bool = False
    portal: bytes = b""

    def answer(self, wire: Wire) -> bytes:
        """What it says to the next message that has reached it."""
        for frame in self.splitter.feed(bytes(wire.sent[self.read :])):
            self.frames.append((chr(frame.kind), frame.raw))
        self.read = len(wire.sent)
        if not self.frames:
            return b""
        kind, raw = self.frames.popleft()
        mark = next(iter(MARK.findall(raw)), b"")
        if kind == "S":
            self.skipping, self.portal = False, b""
            return message("Z", b"I")
        if self.skipping:
            return b""
        if kind == "Q":
            return (ERROR if b"bad" in raw else _rows(mark)) + message("Z", b"I")
        if kind == "B":
            self.portal = mark
            return message("2")
        if kind == "E" and self.portal:
            return _rows(self.portal)
        if kind in "ED":
            self.skipping = True
            return ERROR
        return {"P": message("1"), "C": message("3"), "H": b""}[kind]


def _rows(mark: bytes) -> bytes:
    row = (1).to_bytes(2, "big") + len(mark).to_bytes(4, "big") + mark
    return message("D", row) + message("C", b"SELECT 1\0")


def _spoken(said: list[str]) -> bytes:
    """What the client says in all, each statement and each bound value with a mark of its own."""
    spoken = b""
    for place, kind in enumerate(said):
        mark = f"m{place:04d}"
        value = b"\0\0\0\0\0\1" + len(mark).to_bytes(4, "big") + mark.encode() + b"\0\0"
        spoken += {
            "Q": query(f"SELECT '{mark}'"),
            "QB": query(f"SELECT bad('{mark}')"),
            "P": parse("SELECT $1"),
            "B": message("B", b"\0" + value[1:]),
            "E": execute(),
            "S": SYNC,
            "H": message("H"),
            "C": message("C", b"P\0"),
            "D": message("D", b"P\0"),
        }[kind]
    return spoken


@dataclass
class Scene:
    """A relay between the three, and what holds of them at any moment."""

    early: bool
    disk: Disk = field(default_factory=Disk)
    client: Wire = field(default_factory=Wire)
    server: Wire = field(default_factory=Wire)
    target: Target = field(default_factory=Target)
    to_say: bytes = b""

    async def turn(self, times: int = 1) -> None:
        """Let the loop run, and look."""
        for _ in range(times):
            await asyncio.sleep(0)
            shown = set(MARK.findall(bytes(self.client.sent)))
            assert shown <= self.disk.marks, "a result came before its record"
            if not self.early:
                acting = set(MARK.findall(bytes(self.server.sent)))
                assert acting <= self.disk.marks, "a statement went on before its record"

    async def play(self, steps: Sequence[tuple[str, int | str]]) -> SessionRecorder:
        """Go through the steps and then to the end, with a disk that is well again."""
        journal = Journal(self.disk)
        opened = SessionOpened(
            session=SESSION,
            grant=GrantId("g-1"),
            person=PersonId("alice"),
            target=TargetName("shop"),
            role=RoleName("read"),
            database="shop",
            token=TokenId("t-1"),
            node="test",
            source="test",
            application="",
            tls="",
        )
        self.disk.entries.append(opened)
        recorder = SessionRecorder(journal, self.disk, FixedSealer(), SESSION, PersonId("alice"))
        relay = Relay(recorder, cancel=_nothing, reading=self.early)
        self.client.protocol, self.server.protocol = relay.client_side(), relay.target_side()
        running = asyncio.create_task(relay.run(self.client, self.server, from_client=b"", from_target=b""))
        await self.turn()
        for what, how in steps:
            self._step(relay, what, how)
            await self.turn()
        self.disk.healthy = True
        while self.disk.waiting:
            self.disk.settle("durable")
            await self.turn(3)
        self.client.close()
        cause = await asyncio.wait_for(running, 10)
        await self.turn(3)
        await asyncio.wait_for(recorder.close(cause, bytes_in=0, bytes_out=0, cut_lag_us=None), 10)
        await self.turn()
        return recorder

    def _step(self, relay: Relay, what: str, how: int | str) -> None:
        assert self.client.protocol is not None and self.server.protocol is not None
        if what == "disk":
            self.disk.settle(str(how))
        elif what == "client" and not self.client.over:
            piece, self.to_say = self.to_say[: int(how)], self.to_say[int(how) :]
            if piece:
                self.client.protocol.data_received(piece)
        elif what == "target" and not self.server.over:
            answer = b"".join(self.target.answer(self.server) for _ in range(int(how)))
            if answer:
                self.server.protocol.data_received(answer)
        elif what == "cut":
            relay.cut(Refusal(Code.GRANT_ENDED, {"grant": "g-1", "target": "shop", "role": "read", "cause": "revoked"}))


async def _nothing() -> None:
    return


@pytest.mark.parametrize("early", [False, True], ids=["record before forward", "record before release"])
@settings(max_examples=150)
@given(said=SAID, steps=STEPS, cut=st.none() | st.integers(0, 60))
def test_no_byte_of_a_statement_or_of_its_result_precedes_its_durable_intent(
    early: bool, said: list[str], steps: list[tuple[str, int | str]], cut: int | None
) -> None:
    if cut is not None:
        steps = [*steps[:cut], ("cut", 0), *steps[cut:]]
    scene = Scene(early=early, to_say=_spoken(said))
    recorder = asyncio.run(scene.play(steps))
    intended = [one.number for one in scene.disk.entries if isinstance(one, ActionIntended)]
    completed = [one.number for one in scene.disk.entries if isinstance(one, ActionCompleted)]
    assert intended == list(range(1, len(intended) + 1))
    assert sorted(completed) == intended, "each action has one outcome"
    assert recorder.closed
    reached = set(MARK.findall(bytes(scene.server.sent)))
    assert reached <= scene.disk.marks or early
