"""What a client and a target are doing, message by message: which statement runs, and which answer is whose.

- An action begins with a Query, a Bind or a FunctionCall: planning a Bind may already run code, so a Bind is an
  action even if its portal is never executed. A Parse that no Bind of the same unit uses is an action of its own:
  no text reaches the target unrecorded.
- Answers come in the order of the messages, so a queue of what is expected tells whose answer it is. An error in
  the extended protocol skips everything up to the next Sync (manual section 54.2.3).
- A statement is what its name meant to the target, not to the client: see `names`.
- Outcomes are told when the target is ready again, because until then a commit may fail.

Pure: frames and events in, actions and results out; the present moment is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sojourn.domain.events import Outcome
from sojourn.gateway.recorder import Intention

from . import backend, frontend
from .action import Action, Batch, Expected, Finished
from .backend import Status
from .frontend import Bind
from .intentions import function_intention, named_intention, prepare_intention, statement_intention
from .names import Names
from .walk import Event
from .wire import Frame

ENDED_MAX = 1_000
_ANSWERS = {"1": "P", "2": "B", "3": "C"}


@dataclass(slots=True)
class Conversation:
    """The state of one session's conversation. `status` is the transaction status last seen."""

    status: Status = Status.IDLE
    _statements: Names[bytes] = field(default_factory=Names)
    _portals: Names[Action] = field(default_factory=Names)
    _expected: deque[Expected] = field(default_factory=deque)
    _ended: list[Finished] = field(default_factory=list)
    _group: int = 0
    _group_ran: bool = False
    _skipping: bool = False
    _copying: Action | None = None
    _newest: Action | None = None
    _discarding: bool = False

    @property
    def quiet(self) -> bool:
        """Whether no answer is due."""
        return not self._expected and not self._skipping

    @property
    def between_groups(self) -> bool:
        """Whether the client can be refused and go on: no answer is due, and nothing that ran waits for a commit."""
        return self.quiet and self.status is Status.IDLE and not self._group_ran

    @property
    def running(self) -> bool:
        """Whether the target owes an answer to an action."""
        return any(one.action is not None and not one.action.ended for one in self._expected)

    @property
    def discarding(self) -> bool:
        """Whether the client's messages are being discarded up to its next Sync."""
        return self._discarding

    def must_wait(self, frames: Sequence[Frame]) -> bool:
        """Whether it hangs on an answer still to come which statement these messages run.

        While the client owes the target a COPY, nothing waits: the answer could not come.
        """
        if self._copying is not None:
            return False
        named: set[tuple[str, bytes]] = set()
        for frame in frames:
            kind = chr(frame.kind)
            if kind == "P":
                named.add(("S", frame.payload.split(b"\0", 1)[0]))
            elif kind == "B":
                portal, _, rest = frame.payload.partition(b"\0")
                statement = rest.split(b"\0", 1)[0]
                if ("S", statement) not in named and self._statements.unsettled(statement, self._group):
                    return True
                named.add(("P", portal))
            elif kind == "E":
                portal = frame.payload.split(b"\0", 1)[0]
                if ("P", portal) not in named and self._portals.unsettled(portal, self._group):
                    return True
        return False

    # What the client sends.

    def stage(self, frames: Sequence[Frame]) -> Batch:
        """Read messages of the client, up to and including one that asks for an answer; nothing is forwarded yet.

        Raises WireError for a malformed message.
        """
        expected: list[Expected] = []
        alone: dict[bytes, Expected] = {}
        fresh: set[Action] = set()
        for frame in frames:
            one = self._read(frame, alone, fresh)
            if one is not None:
                expected.append(one)
        for one in expected:
            if one.kind == "P" and one.action is None:
                assert one.statement is not None
                one.action = Action(prepare_intention(one.statement.name, one.statement.value or b""), prepares=True)
                fresh.add(one.action)
        actions = {one.action: None for one in expected if one.action is not None and one.action in fresh}
        self._newest = next((one.action for one in reversed(expected) if one.kind in "QE"), self._newest)
        return Batch(frames, list(actions), expected)

    def _read(self, frame: Frame, alone: dict[bytes, Expected], fresh: set[Action]) -> Expected | None:
        """What one message asks for. `alone` are the Parses of this unit that no Bind has used yet."""
        kind = chr(frame.kind)
        match kind:
            case "Q":
                intention = statement_intention(frontend.parse_query(frame.payload).sql)
                return Expected("Q", _begin(frame, intention, fresh))
            case "P":
                parsed = frontend.parse_parse(frame.payload)
                naming = self._statements.give(parsed.statement, parsed.sql, self._group)
                alone[parsed.statement] = Expected("P", statement=naming)
                return alone[parsed.statement]
            case "B":
                return self._bind(frame, frontend.parse_bind(frame.payload), alone, fresh)
            case "E":
                return self._execute(frame, frontend.parse_execute(frame.payload).portal, fresh)
            case "C":
                closing = frontend.parse_close(frame.payload)
                if closing.portal:
                    return Expected("C", portal=self._portals.give(closing.name, None, self._group))
                return Expected("C", statement=self._statements.give(closing.name, None, self._group))
            case "F":
                called = frontend.parse_function_call(frame.payload)
                return Expected("F", _begin(frame, function_intention(called), fresh))
            case "D":
                described = frontend.parse_describe(frame.payload)
                return Expected("D", self._portals.meaning(described.name) if described.portal else None)
            case "S":
                self._group += 1
                return Expected("S")
            case "c" | "f":
                return Expected("c")
            case "d":
                # A client may send its data before the target has said that it wants them.
                copying = self._copying or self._newest
                if copying is not None:
                    copying.bytes_in += len(frame.raw)
        return None

    def _bind(self, frame: Frame, bound: Bind, alone: dict[bytes, Expected], fresh: set[Action]) -> Expected:
        sql = self._statements.meaning(bound.statement)
        if sql is None:
            intention = named_intention("statement", bound.statement, bound)
        else:
            intention = statement_intention(sql, binds=bound)
        action = _begin(frame, intention, fresh)
        parse = alone.pop(bound.statement, None)
        if parse is not None:
            parse.action = action
        return Expected("B", action, portal=self._portals.give(bound.portal, action, self._group))

    def _execute(self, frame: Frame, portal: bytes, fresh: set[Action]) -> Expected:
        known = self._portals.meaning(portal)
        if known is None:
            known = _begin(frame, named_intention("portal", portal), fresh)
        elif known.ended:
            # Run again after its end: an action of its own, whatever the target makes of it.
            known = _begin(frame, known.intention, fresh)
            self._portals.confirm(self._portals.give(portal, known, self._group))
        else:
            known.bytes_in += len(frame.raw)
        return Expected("E", known)

    def forwarded(self, batch: Batch, now: float) -> list[Finished]:
        """Say that the batch has gone to the target. What the target will skip has ended at once."""
        finished: list[Finished] = []
        for action in batch.actions:
            action.started = now
        for one in batch.expected:
            if one.kind == "S":
                # During COPY FROM STDIN the target ignores Sync (manual section 54.2.3).
                if self._copying is None or any(due.kind == "c" for due in self._expected):
                    self._expected.append(one)
                self._skipping = False
                self._group_ran = False
            elif self._skipping:
                self._undo(one)
                finished += self._skip(one.action, now)
            else:
                self._expected.append(one)
                self._group_ran = self._group_ran or one.kind in "BE"
        return finished

    def refuse(self, batches: Iterable[Batch], error: bytes) -> bytes:
        """Take back what was staged and does not go on; gives what the client is told (see `discard`)."""
        reply = b""
        for batch in batches:
            for one in reversed(batch.expected):
                self._undo(one)
            for action in batch.actions:
                action.ended = True
            reply += self.discard(batch.frames, error)
        return reply

    def discard(self, frames: Iterable[Frame], error: bytes) -> bytes:
        """What a client is told whose messages do not go on: `error`, and ReadyForQuery where it waits for it.

        Messages of the extended protocol are then discarded up to Sync, as a server does after an error.
        """
        reply = bytearray()
        for frame in frames:
            kind = chr(frame.kind)
            if kind == "S":
                reply += backend.ready_for_query(self.status)
                self._discarding = False
            elif self._discarding:
                continue
            elif kind in "QF":
                reply += error + backend.ready_for_query(self.status)
            elif kind in "PBEDC":
                reply += error
                self._discarding = True
        return bytes(reply)

    # What the target answers.

    def answered(self, events: Iterable[Event], now: float) -> list[Finished]:
        """Read what the target sent; gives the actions whose outcome is known for good."""
        finished: list[Finished] = []
        for event in events:
            head = self._expected[0] if self._expected else None
            if head is not None and head.action is not None:
                head.action.rows_fetched += event.rows
                head.action.bytes_out += event.row_bytes + event.copy_bytes
            match chr(event.kind):
                case "C" | "I" | "s" | "V" as kind:
                    self._command_answered(kind, event, head, now)
                case "E":
                    self._failed(event, head, now)
                case "Z":
                    finished += self._ready(event, head, now)
                case "G":
                    self._copy_began(head)
                case "1" | "2" | "3" | "n" | "T" as kind if head is not None:
                    if head.kind == _ANSWERS.get(kind, "D"):
                        self._confirm(head, now)
            while len(self._ended) > ENDED_MAX:
                finished.append(self._ended.pop(0))
        return finished

    def _confirm(self, head: Expected, now: float) -> None:
        if head.statement is not None:
            self._statements.confirm(head.statement)
        if head.portal is not None:
            if head.portal.before is not None and head.portal.before.value is not None:
                self._portal_gone(head.portal.before.value, now)
            self._portals.confirm(head.portal)
        if head.action is not None and head.action.prepares:
            self._ended += self._end(head.action, Outcome.COMPLETED, now)
        self._pop()

    def _undo(self, one: Expected) -> None:
        if one.statement is not None:
            self._statements.refuse(one.statement)
        if one.portal is not None:
            self._portals.refuse(one.portal)

    def _pop(self) -> None:
        self._expected.popleft()
        while self._expected and self._expected[0].kind == "c":
            self._expected.popleft()

    def _command_answered(self, kind: str, event: Event, head: Expected | None, now: float) -> None:
        if head is None or head.action is None:
            return
        action = head.action
        action.answered = True
        self._copying = None
        if kind == "C" and not action.ended:
            completion = backend.parse_command_complete(event.payload)
            action.tags.append(completion.tag)
            action.rows += action.rows_fetched if completion.rows is None else completion.rows
        elif kind == "s":
            action.rows += action.rows_fetched
        action.rows_fetched = 0
        if head.kind == "E":
            self._pop()
            if kind != "s":
                self._ended += self._end(action, Outcome.COMPLETED, now)

    def _failed(self, event: Event, head: Expected | None, now: float) -> None:
        fields = backend.parse_error(event.payload)
        sqlstate, text = fields.get("C", "")[:5], fields.get("M", "")
        self._copying = None
        if head is None:
            return
        if head.kind in "QF":
            assert head.action is not None
            head.action.sqlstate, head.action.message, head.action.answered = sqlstate, text, True
            return
        if head.kind == "S":
            # The commit of the group failed: nothing of it took effect.
            for place, (action, result) in enumerate(self._ended):
                if result.outcome is Outcome.COMPLETED and not action.prepares:
                    failed = replace(result, outcome=Outcome.FAILED, sqlstate=sqlstate, message=text.encode())
                    self._ended[place] = (action, failed)
            return
        failing, gone = head.action, []
        while self._expected and self._expected[0].kind != "S":
            gone.append(self._expected.popleft())
        self._skipping = not self._expected
        for one in reversed(gone):
            self._undo(one)
        if failing is not None:
            failing.sqlstate, failing.message = sqlstate, text
            self._ended += self._end(failing, Outcome.FAILED, now)
        for one in gone:
            self._ended += self._skip(one.action, now)

    def _ready(self, event: Event, head: Expected | None, now: float) -> list[Finished]:
        if event.payload in (b"I", b"T", b"E"):
            self.status = Status(event.payload.decode())
        self._copying = None
        if head is None:
            self._skipping = False
        elif head.kind == "S":
            self._pop()
        elif head.kind in "QF" and head.action is not None and head.action.answered:
            self._pop()
            outcome = Outcome.FAILED if head.action.sqlstate else Outcome.COMPLETED
            self._ended += self._end(head.action, outcome, now)
        if self.status is Status.IDLE:
            for name, action in self._portals.confirmed():
                self._portals.forget(name)
                self._portal_gone(action, now)
        finished, self._ended = self._ended, []
        return finished

    def _portal_gone(self, action: Action, now: float) -> None:
        """A portal has ended before its rows did: what was fetched is complete; what was never run was skipped."""
        if any(one.action is action for one in self._expected):
            return
        self._ended += self._skip(action, now)

    def _copy_began(self, head: Expected | None) -> None:
        """COPY FROM STDIN has begun: until the client ends it, the target ignores Sync (manual section 54.2.3)."""
        if head is None or head.action is None:
            return
        self._copying = head.action
        rest = list(self._expected)[1:]
        end = next((place for place, one in enumerate(rest) if one.kind == "c"), len(rest))
        kept = [one for place, one in enumerate(rest) if place >= end or one.kind != "S"]
        self._expected = deque([head, *kept])

    def _skip(self, action: Action | None, now: float) -> list[Finished]:
        """The rest of an action will not run: complete as far as it was fetched, or never run at all."""
        fetched = action is not None and action.answered
        return self._end(action, Outcome.COMPLETED if fetched else Outcome.SKIPPED, now)

    def _end(self, action: Action | None, outcome: Outcome, now: float) -> list[Finished]:
        if action is None or action.ended:
            return []
        action.ended = True
        return [(action, action.result(outcome, now))]

    def broken_off(self, now: float) -> list[Finished]:
        """The session ends: every action whose end was not seen was interrupted."""
        finished, self._ended = self._ended, []
        for action in [*(one.action for one in self._expected), *(one for _, one in self._portals.confirmed())]:
            if action is not None and action.started:
                failed = Outcome.FAILED if action.sqlstate else Outcome.INTERRUPTED
                finished += self._end(action, failed, now)
        return finished


def _begin(frame: Frame, intention: Intention, fresh: set[Action]) -> Action:
    action = Action(intention, bytes_in=len(frame.raw))
    fresh.add(action)
    return action
