"""Each action gets exactly one outcome, its own, whatever a client sends and however the target answers.

The model below answers as PostgreSQL does: an error skips all up to Sync, names live until they are closed, portals
until their transaction ends. Which text each Bind really ran is known to the model, so that it can be compared.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.domain.events import Outcome
from sojourn.gateway.entries import Result
from sojourn.gateway.postgres import frontend
from sojourn.gateway.postgres.action import Action
from sojourn.gateway.postgres.backend import Status
from sojourn.gateway.postgres.conversation import Conversation
from sojourn.gateway.postgres.discard import Discarding
from sojourn.gateway.postgres.walk import BackendWalker
from sojourn.gateway.postgres.wire import Frame, Splitter

from .raw import SYNC, bind, execute, message, parse, query

GOOD, BAD = "SELECT 'good'", "SELECT 'bad'"
ERROR = message("E", b"SERROR\0C22012\0Mbad\0\0")
NAMES = st.sampled_from(["", "a", "b"])
STEPS = st.one_of(
    st.tuples(st.just("Q"), st.booleans(), st.just("")),
    st.tuples(st.just("P"), st.booleans(), NAMES),
    st.tuples(st.just("B"), st.booleans(), NAMES),
    st.tuples(st.just("E"), st.integers(0, 2), NAMES),
    st.tuples(st.just("CS"), st.just(True), NAMES),
    st.tuples(st.just("CP"), st.just(True), NAMES),
    st.tuples(st.just("D"), st.just(True), NAMES),
    st.tuples(st.just("S"), st.just(True), st.just("")),
)


@dataclass
class Server:
    """Answers one message at a time. `ran` lists the texts of Binds that succeeded and of Queries that ran."""

    skipping: bool = False
    statements: dict[str, str] = field(default_factory=dict)
    portals: set[str] = field(default_factory=set)
    ran: list[tuple[int, str, bool]] = field(default_factory=list)

    def _fail(self) -> bytes:
        self.skipping = True
        self.portals.clear()
        return ERROR

    def answer(self, step: tuple[str, object, str], text: str, index: int) -> bytes:
        """What PostgreSQL says to this message."""
        kind, how, name = step
        if kind == "S":
            self.skipping = False
            self.portals.clear()
            return message("Z", b"I")
        if self.skipping:
            return b""
        if kind == "Q":
            self.ran.append((index, text, bool(how)))
            self.portals.clear()
            self.statements.pop("", None)
            return (message("C", b"SELECT 1\0") if how else ERROR) + message("Z", b"I")
        if kind == "P":
            if name == "":
                self.statements.pop("", None)
            if not how or name in self.statements:
                return self._fail()
            self.statements[name] = text
            return message("1")
        if kind == "B":
            if name not in self.statements or not how or (name and name in self.portals):
                return self._fail()
            self.portals.add(name)
            self.ran.append((index, self.statements[name], True))
            return message("2")
        if kind == "E":
            if name not in self.portals or how == 2:
                return self._fail()
            row = message("D", b"\0\0")
            return row + (message("s") if how else message("C", b"SELECT 1\0"))
        if kind == "D":
            return message("n") if name in self.portals else self._fail()
        (self.statements.pop(name, None) if kind == "CS" else self.portals.discard(name))
        return message("3")


def encoded(step: tuple[str, object, str], text: str) -> bytes:
    """The message of a step."""
    kind, _, name = step
    return {
        "Q": lambda: query(text),
        "P": lambda: parse(text, name),
        "B": lambda: bind(name, name),
        "E": lambda: execute(name),
        "CS": lambda: message("C", b"S" + name.encode() + b"\0"),
        "CP": lambda: message("C", b"P" + name.encode() + b"\0"),
        "D": lambda: message("D", b"P" + name.encode() + b"\0"),
        "S": lambda: SYNC,
    }[kind]()


def frames(data: bytes) -> list[Frame]:
    """Cut into messages."""
    return Splitter(frontend.session_limits(1 << 20)).feed(data)


@settings(max_examples=400)
@given(
    steps=st.lists(STEPS, max_size=25),
    delays=st.lists(st.integers(0, 6), min_size=26, max_size=26),
)
def test_each_action_has_one_outcome_and_it_is_its_own(steps: list[tuple[str, object, str]], delays: list[int]) -> None:
    conversation, server, walker = Conversation(), Server(), BackendWalker()
    staged: dict[int, tuple[Action, bytes]] = {}
    ended: list[tuple[Action, Result]] = []
    replies: deque[bytes] = deque()
    steps = [*steps, ("S", True, "")]
    for index, step in enumerate(steps):
        text = f"SELECT {index}"
        batch = conversation.stage(frames(encoded(step, text)))
        for action in batch.actions:
            action.number = len(staged) + 1
            assert action.intention is not None
            staged[index] = (action, action.intention.detail)
        ended += conversation.forwarded(batch, 1.0)
        replies.append(server.answer(step, text, index))
        # The target is late by so many messages.
        while len(replies) > delays[index]:
            ended += conversation.answered(walker.walk(replies.popleft()), 2.0)
    for reply in replies:
        ended += conversation.answered(walker.walk(reply), 2.0)

    assert conversation.settled
    assert conversation.between_groups
    assert len({id(action) for action, _ in ended}) == len(ended)
    assert {id(action) for action, _ in ended} == {id(action) for action, _ in staged.values()}
    outcomes = {id(action): result.outcome for action, result in ended}
    ran = {index: (text, good) for index, text, good in server.ran}
    for index, (action, raw_detail) in staged.items():
        detail = json.loads(raw_detail)
        kind = steps[index][0]
        if index in ran:
            text, good = ran[index]
            possible = [detail.get("text"), *(one["text"] for one in detail.get("or_instead", []))]
            assert text in possible, (text, detail)
            if kind == "Q":
                assert outcomes[id(action)] is (Outcome.COMPLETED if good else Outcome.FAILED)
        elif kind in "QB":
            assert outcomes[id(action)] in (Outcome.SKIPPED, Outcome.FAILED)


@given(steps=st.lists(STEPS, max_size=20), answered=st.integers(0, 20))
def test_a_session_that_breaks_off_leaves_no_action_without_an_outcome(
    steps: list[tuple[str, object, str]], answered: int
) -> None:
    conversation, server, walker = Conversation(), Server(), BackendWalker()
    staged: list[Action] = []
    ended: list[tuple[Action, Result]] = []
    for index, step in enumerate(steps):
        batch = conversation.stage(frames(encoded(step, GOOD)))
        for action in batch.actions:
            action.number = len(staged) + 1
            staged.append(action)
        ended += conversation.forwarded(batch, 1.0)
        reply = server.answer(step, GOOD, index)
        if index < answered:
            ended += conversation.answered(walker.walk(reply), 2.0)
    ended += conversation.broken_off(3.0)
    assert sorted(action.number for action, _ in ended) == [action.number for action in staged]


def test_a_batch_that_does_not_go_on_leaves_names_as_they_were() -> None:
    conversation, walker = Conversation(), BackendWalker()
    conversation.forwarded(conversation.stage(frames(parse(GOOD, "s") + SYNC)), 1.0)
    conversation.answered(walker.walk(message("1") + message("Z", b"I")), 2.0)
    refused = conversation.stage(frames(message("C", b"Ss\0") + parse(BAD, "s") + bind("", "s") + execute() + SYNC))
    conversation.withdraw(refused, 3.0)
    (action,) = conversation.stage(frames(bind("", "s"))).actions
    assert action.intention is not None
    assert json.loads(action.intention.detail)["text"] == GOOD
    assert "or_instead" not in json.loads(action.intention.detail)


def test_after_a_refusal_messages_are_discarded_up_to_sync_and_no_further() -> None:
    discarding = Discarding()
    assert discarding.refuse(frames(parse(GOOD) + bind()), ERROR, Status.IDLE) == ERROR
    assert discarding.active
    waiting = deque(frames(execute() + query(GOOD) + SYNC + query(GOOD)))
    assert discarding.discard(waiting, Status.IDLE) == message("Z", b"I")
    assert [chr(frame.kind) for frame in waiting] == ["Q"]
    assert not discarding.active


def test_a_refusal_answers_each_group_that_is_refused() -> None:
    answer = ERROR + message("Z", b"I")
    assert Discarding().refuse(frames(parse(GOOD) + bind() + SYNC + query(GOOD)), ERROR, Status.IDLE) == 2 * answer
