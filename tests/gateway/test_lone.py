"""A lone statement is read quickly, and nothing that is recorded of it differs from the long way."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.domain.events import Outcome
from sojourn.gateway.entries import Intention, Result
from sojourn.gateway.postgres.conversation import Conversation
from sojourn.gateway.postgres.lone import ANSWER_BYTES_MAX, Lone, said
from sojourn.gateway.postgres.walk import BackendWalker
from sojourn.gateway.postgres.wire import WireError

from .raw import SYNC, bind, execute, message, parse, query
from .test_conversation import ERROR, Server, encoded, frames

ROWS = message("T", b"\0\1status\0" + bytes(18))
ROW = message("D", b"\0\1\0\0\0\4paid")
DESCRIBE = message("D", b"P\0")
READY = message("Z", b"I")


@dataclass(slots=True)
class Talk:
    """One conversation, with the quick way or without it, and all that would be recorded of it."""

    quick: bool
    conversation: Conversation = field(default_factory=Conversation)
    walker: BackendWalker = field(default_factory=BackendWalker)
    intended: list[Intention] = field(default_factory=list)
    ended: list[tuple[int, Result]] = field(default_factory=list)
    alone: int = 0
    now: float = 1.0

    def say(self, chunk: bytes, *, kept: bool = True) -> None:
        """The client says this; without `kept` it does not go on, because its record failed."""
        self.now += 0.25
        lone = self.conversation.lone(chunk) if self.quick else None
        batch = lone if lone is not None else self.conversation.stage(frames(chunk))
        self.alone += lone is not None
        if not kept:
            self.conversation.withdraw(batch, self.now)
            return
        numbers = tuple(range(len(self.intended) + 1, len(self.intended) + len(batch.intentions) + 1))
        self.intended += batch.intentions
        batch.numbered(numbers)
        self.ended += [(action.number, result) for action, result in self.conversation.forwarded(batch, self.now)]

    def hear(self, chunk: bytes) -> None:
        """The target says this."""
        self.now += 0.25
        found = self.conversation.answered_whole(chunk, self.now) if self.walker.at_boundary else None
        if found is not None:
            self.ended.append(found)
            return
        finished = self.conversation.answered(self.walker.walk(chunk), self.now)
        self.ended += [(action.number, result) for action, result in finished]

    def hang_up(self) -> None:
        """The session ends."""
        self.ended += [(action.number, result) for action, result in self.conversation.broken_off(self.now)]

    @property
    def heard(self) -> tuple[object, ...]:
        """All that can be seen of it."""
        one = self.conversation
        return self.intended, self.ended, one.failures, one.status, one.settled, one.between_groups, one.running


STEPS = st.sampled_from(["Q", "B", "BD", "PB", "PBD", "P", "B and more", "Q Q"])
NAMES = st.sampled_from(["", "a"])
ANSWERS = st.sampled_from(["whole", "whole", "whole", "split", "late", "notice", "withdrawn", "longer"])


def _steps(kind: str, name: str, good: bool) -> list[tuple[str, object, str]]:
    sync: tuple[str, object, str] = ("S", True, "")
    if kind.startswith("Q"):
        return [("Q", good, "") for _ in kind.split()]
    if kind == "P":
        return [("P", good, name), sync]
    steps: list[tuple[str, object, str]] = []
    if "P" in kind:
        steps.append(("P", True, name))
    steps.append(("B", good, name))
    if "D" in kind:
        steps.append(("D", True, ""))
    steps.append(("E", 0, ""))
    return [*steps, ("CP", True, ""), sync] if kind == "B and more" else [*steps, sync]


class Named(Server):
    """Binds every statement to the unnamed portal."""

    def answer(self, step: tuple[str, object, str], text: str, index: int) -> bytes:
        """As `Server`, by that portal."""
        kind, how, name = step
        if kind == "B" and not self.skipping:
            if name not in self.statements or not how:
                return self._fail()
            self.portals.add("")
            return message("2")
        return Server.answer(self, step, text, index)


@settings(max_examples=400)
@given(
    exchanges=st.lists(st.tuples(STEPS, NAMES, st.booleans(), ANSWERS, st.integers(0, 40)), max_size=12),
    broken_off=st.booleans(),
)
def test_the_quick_way_records_what_the_long_way_does(
    exchanges: list[tuple[str, str, bool, str, int]], broken_off: bool
) -> None:
    quick, long, server = Talk(quick=True), Talk(quick=False), Named()
    late = b""
    for index, (kind, name, good, how, split) in enumerate(exchanges):
        text = f"SELECT {index} FROM orders"
        said_now = b"".join(
            bind("", step[2]) if step[0] == "B" else encoded(step, text) for step in _steps(kind, name, good)
        )
        for talk in (quick, long):
            talk.say(said_now, kept=how != "withdrawn")
        if how == "withdrawn":
            continue
        reply = late + b"".join(server.answer(step, text, index) for step in _steps(kind, name, good))
        late = b""
        if how == "notice":
            reply = message("N", b"SNOTICE\0\0") + reply
        if how == "longer":
            reply = reply.replace(message("D", b"\0\0"), ROW * split)
        chunks = [reply[:split], reply[split:]] if how == "split" else [reply]
        if how == "late":
            late, chunks = reply, []
        for chunk in chunks:
            for talk in (quick, long):
                talk.hear(chunk)
        assert quick.heard == long.heard
    if late and not broken_off:
        quick.hear(late)
        long.hear(late)
    quick.hang_up()
    long.hang_up()
    assert quick.heard == long.heard


@pytest.mark.parametrize(
    ("chunk", "answer"),
    [
        (query("SELECT status FROM orders"), ROWS + ROW + message("C", b"SELECT 1\0") + READY),
        (query("DELETE FROM orders"), message("C", b"DELETE 7\0") + READY),
        (bind() + execute() + SYNC, message("2") + ROW * 3 + message("C", b"SELECT 3\0") + READY),
        (bind() + DESCRIBE + execute() + SYNC, message("2") + ROWS + ROW + message("C", b"SELECT 1\0") + READY),
        (bind() + DESCRIBE + execute() + SYNC, message("2") + message("n") + message("C", b"BEGIN\0") + READY),
        (
            parse("SELECT 1") + bind() + DESCRIBE + execute() + SYNC,
            message("1") + message("2") + ROWS + message("C", b"SELECT 0\0") + READY,
        ),
    ],
)
def test_what_clients_usually_do_goes_the_quick_way(chunk: bytes, answer: bytes) -> None:
    quick, long = Talk(quick=True), Talk(quick=False)
    for talk in (quick, long):
        talk.say(chunk)
        talk.hear(answer)
    assert quick.alone == 1
    assert quick.heard == long.heard
    assert [result.outcome for _, result in quick.ended] == [Outcome.COMPLETED]


@pytest.mark.parametrize(
    "answer",
    [
        ERROR + READY,
        message("I") + READY,
        message("C", b"SET\0") + message("S", b"TimeZone\0UTC\0") + READY,
        message("C", b"SELECT 1\0") + message("C", b"SELECT 1\0") + READY,
        ROWS + ROW * (ANSWER_BYTES_MAX // len(ROW)) + message("C", b"SELECT 9\0") + READY,
        message("C", b"x" * 200 + b"\0") + READY,
        message("C", b"SELECT 1\0"),
        ROWS + ROW,
        b"T\0\0\0\x7f" + message("C", b"SELECT 1\0") + READY,
    ],
)
def test_what_a_target_rarely_answers_goes_the_long_way(answer: bytes) -> None:
    quick, long = Talk(quick=True), Talk(quick=False)
    for talk in (quick, long):
        talk.say(query("SELECT 1"))
        talk.hear(answer)
    assert quick.alone == 1
    assert quick.heard == long.heard


@pytest.mark.parametrize("answer", [b"T\0\0\0\x03" + READY, b"D\0\0\0\x03" + READY, b"C\0\0\0\x01" + READY])
def test_a_length_that_cannot_be_is_refused_on_either_way(answer: bytes) -> None:
    for quick in (True, False):
        talk = Talk(quick=quick)
        talk.say(query("SELECT 1"))
        with pytest.raises(WireError):
            talk.hear(answer)


@given(st.binary(max_size=40), st.sampled_from([b"", query("SELECT 1"), bind() + execute() + SYNC, parse("x")]))
def test_only_whole_messages_of_the_usual_kinds_are_taken_for_a_lone_statement(noise: bytes, begun: bytes) -> None:
    for chunk in (noise, begun + noise, begun[: len(noise)]):
        found = said(chunk)
        if found is not None:
            kinds = "".join(chr(frame.kind) for frame in frames(chunk))
            assert kinds in ("Q", "BES", "BDES", "PBES", "PBDES")


def test_a_lone_statement_is_forwarded_as_it_came() -> None:
    chunk = parse("SELECT 1") + bind() + DESCRIBE + execute() + SYNC
    lone = Conversation().lone(chunk)
    assert isinstance(lone, Lone)
    assert lone.raw == chunk
    assert b"".join(frame.raw for frame in lone.frames) == chunk
