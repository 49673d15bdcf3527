"""What a client and a target are doing, message by message: which statement runs, and which answer is whose.

- An action begins with a Query, a Bind or a FunctionCall: planning a Bind may already run code, so a Bind is an
  action even if its portal is never executed.
- Answers come in the order of the messages, so a queue of what is expected tells whose answer it is. An error in
  the extended protocol skips everything up to the next Sync (manual section 54.2.3).
- Statements and portals are known by name. What is not known here (SQL PREPARE, a cursor) is recorded by its name.

Pure: frames and events in, actions and results out; the present moment is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sojourn.domain.events import Outcome
from sojourn.gateway.recorder import Intention, Result

from . import backend, frontend
from .backend import Status
from .frontend import Bind, Parse
from .intentions import function_intention, named_intention, statement_intention
from .walk import Event
from .wire import Frame

STATEMENTS_MAX = 100_000


@dataclass(slots=True, eq=False)
class Action:
    """One statement on its way: what is intended, and what has come back so far."""

    intention: Intention
    number: int = 0
    started: float = 0.0
    tags: list[str] = field(default_factory=list)
    rows: int = 0
    rows_counted: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    sqlstate: str = ""
    message: str = ""
    finished: bool = False

    def result(self, outcome: Outcome, now: float) -> Result:
        """What is to be recorded of it."""
        return Result(
            outcome=outcome,
            tags=tuple(self.tags),
            sqlstate=self.sqlstate,
            rows=self.rows,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            duration_us=round((now - self.started) * 1e6) if self.started else 0,
            message=self.message.encode(),
        )


@dataclass(frozen=True, slots=True)
class _Expected:
    """An answer that is to come: the message's type, and the action or the statement it belongs to.

    `c` stands for the end of a COPY by the client, which has no answer of its own.
    """

    kind: str
    action: Action | None = None
    sql: bytes = b""


@dataclass(slots=True)
class Batch:
    """Messages of a client that go to the target together, once its actions are on record."""

    frames: list[Frame]
    actions: list[Action]
    expected: list[_Expected]

    @property
    def raw(self) -> bytes:
        """The bytes to forward."""
        return b"".join(frame.raw for frame in self.frames)


Finished = tuple[Action, Result]


@dataclass(slots=True)
class Conversation:
    """The state of one session's conversation. `status` is the transaction status last seen."""

    status: Status = Status.IDLE
    parse_failures: list[tuple[Intention, Result]] = field(default_factory=list)
    _statements: dict[bytes, bytes] = field(default_factory=dict)
    _portals: dict[bytes, Action] = field(default_factory=dict)
    _expected: deque[_Expected] = field(default_factory=deque)
    _skipping: bool = False
    _copying: Action | None = None
    _discarding: bool = False

    @property
    def between_groups(self) -> bool:
        """Whether nothing is under way: no answer is due and no transaction is open."""
        return self.status is Status.IDLE and not self._expected and not self._skipping

    @property
    def running(self) -> bool:
        """Whether the target owes an answer to an action."""
        return any(one.action is not None and not one.action.finished for one in self._expected)

    def stage(self, frames: Sequence[Frame]) -> Batch:
        """Read messages of the client; gives what they are, nothing of it forwarded yet.

        Raises WireError for a malformed message.
        """
        batch = Batch(list(frames), [], [])
        for frame in frames:
            self._stage(frame, batch)
        return batch

    def _stage(self, frame: Frame, batch: Batch) -> None:
        kind = chr(frame.kind)
        match kind:
            case "Q":
                sql = frontend.parse_query(frame.payload).sql
                batch.expected.append(_Expected("Q", self._begin(batch, frame, statement_intention(sql))))
            case "P":
                parsed = frontend.parse_parse(frame.payload)
                self._name(parsed)
                batch.expected.append(_Expected("P", sql=parsed.sql))
            case "B":
                bound = frontend.parse_bind(frame.payload)
                action = self._begin(batch, frame, self._binding(bound))
                self._portals[bound.portal] = action
                batch.expected.append(_Expected("B", action))
            case "E":
                portal = frontend.parse_execute(frame.payload).portal
                known = self._portals.get(portal)
                if known is None or known.finished:
                    known = self._begin(batch, frame, named_intention("portal", portal))
                    self._portals[portal] = known
                batch.expected.append(_Expected("E", known))
            case "C":
                closing = frontend.parse_close(frame.payload)
                if not closing.portal:
                    self._statements.pop(closing.name, None)
                batch.expected.append(_Expected("C"))
            case "F":
                called = frontend.parse_function_call(frame.payload)
                batch.expected.append(_Expected("F", self._begin(batch, frame, function_intention(called))))
            case "D" | "S" | "c" | "f":
                batch.expected.append(_Expected("c" if kind == "f" else kind))
            case "d":
                copying = self._copying or (batch.actions[-1] if batch.actions else None)
                if copying is not None:
                    copying.bytes_in += len(frame.raw)

    def _begin(self, batch: Batch, frame: Frame, intention: Intention) -> Action:
        action = Action(intention, bytes_in=len(frame.raw))
        batch.actions.append(action)
        return action

    def _name(self, parsed: Parse) -> None:
        self._statements[parsed.statement] = parsed.sql
        while len(self._statements) > STATEMENTS_MAX:
            del self._statements[next(iter(self._statements))]

    def _binding(self, bound: Bind) -> Intention:
        sql = self._statements.get(bound.statement)
        if sql is None:
            return named_intention("statement", bound.statement)
        return statement_intention(sql, binds=bound)

    def forwarded(self, batch: Batch, now: float) -> list[Finished]:
        """Say that the batch has gone to the target. What the target will skip is finished at once."""
        finished: list[Finished] = []
        for action in batch.actions:
            action.started = now
        for one in batch.expected:
            if not self._skipping:
                if not (one.kind == "S" and self._copying is not None and not self._ends_copy()):
                    self._expected.append(one)
            elif one.kind == "S":
                self._skipping = False
                self._expected.append(one)
            elif one.action is not None:
                finished += self._finish(one.action, Outcome.SKIPPED, now)
        return finished

    def _ends_copy(self) -> bool:
        return any(one.kind == "c" for one in self._expected)

    def answered(self, events: Iterable[Event], now: float) -> list[Finished]:
        """Read what the target sent; gives the actions that ended."""
        finished: list[Finished] = []
        for event in events:
            head = self._expected[0] if self._expected else None
            action = head.action if head is not None else None
            if action is not None:
                action.rows_counted += event.rows
                action.bytes_out += event.row_bytes + event.copy_bytes
            match chr(event.kind):
                case "C" | "I" | "s" | "V":
                    finished += self._command_ended(chr(event.kind), event, head, now)
                case "E":
                    finished += self._failed(event, head, now)
                case "Z":
                    finished += self._ready(event, now)
                case "G":
                    self._copy_began()
                case "1" | "2" | "3" | "n" | "T" as kind:
                    if head is not None and head.kind in {"1": "P", "2": "B", "3": "C"}.get(kind, "D"):
                        self._pop()
        return finished

    def _pop(self) -> None:
        self._expected.popleft()
        while self._expected and self._expected[0].kind == "c":
            self._expected.popleft()

    def _command_ended(self, kind: str, event: Event, head: _Expected | None, now: float) -> list[Finished]:
        if head is None or head.action is None:
            return []
        action = head.action
        if kind == "C":
            completion = backend.parse_command_complete(event.payload)
            action.tags.append(completion.tag)
            action.rows += action.rows_counted if completion.rows is None else completion.rows
            action.rows_counted = 0
        if head.kind != "E":
            return []
        self._copying = None
        self._pop()
        return [] if kind == "s" else self._finish(action, Outcome.COMPLETED, now)

    def _failed(self, event: Event, head: _Expected | None, now: float) -> list[Finished]:
        fields = backend.parse_error(event.payload)
        sqlstate, text = fields.get("C", "")[:5], fields.get("M", "")
        self._copying = None
        if head is None:
            return []
        if head.kind in "QF":
            assert head.action is not None
            head.action.sqlstate, head.action.message = sqlstate, text
            return []
        skipped: list[Action] = []
        while self._expected and self._expected[0].kind not in "SQF":
            one = self._expected.popleft()
            if one.action is not None and one.action not in skipped and not one.action.finished:
                skipped.append(one.action)
        self._skipping = not self._expected
        if not skipped:
            if head.kind == "P":
                failed = Result(outcome=Outcome.FAILED, sqlstate=sqlstate, message=text.encode())
                self.parse_failures.append((statement_intention(head.sql), failed))
            return []
        skipped[0].sqlstate, skipped[0].message = sqlstate, text
        finished = self._finish(skipped[0], Outcome.FAILED, now)
        for action in skipped[1:]:
            finished += self._finish(action, Outcome.SKIPPED, now)
        return finished

    def _ready(self, event: Event, now: float) -> list[Finished]:
        self.status = Status(event.payload.decode()) if event.payload in (b"I", b"T", b"E") else self.status
        self._copying = None
        finished: list[Finished] = []
        while self._expected:
            head = self._expected[0]
            self._pop()
            if head.kind in "QF":
                assert head.action is not None
                outcome = Outcome.FAILED if head.action.sqlstate else Outcome.COMPLETED
                finished += self._finish(head.action, outcome, now)
            if head.kind in "QFS":
                break
        if self.status is Status.IDLE:
            finished += self._portals_ended(now)
        return finished

    def _portals_ended(self, now: float) -> list[Finished]:
        """Portals end with their transaction: one that was fetched from in part is complete, another was skipped."""
        due = {id(one.action) for one in self._expected}
        finished: list[Finished] = []
        for name, action in tuple(self._portals.items()):
            if action.finished or (action.started and id(action) not in due):
                del self._portals[name]
                if action.rows_counted:
                    action.rows += action.rows_counted
                    finished += self._finish(action, Outcome.COMPLETED, now)
                else:
                    finished += self._finish(action, Outcome.SKIPPED, now)
        return finished

    def _copy_began(self) -> None:
        """COPY FROM STDIN has begun: until the client ends it, the target ignores Sync (manual section 54.2.6)."""
        head = self._expected[0] if self._expected else None
        if head is None or head.action is None:
            return
        self._copying = head.action
        rest = list(self._expected)[1:]
        end = next((place for place, one in enumerate(rest) if one.kind == "c"), len(rest))
        kept = [one for place, one in enumerate(rest) if place >= end or one.kind != "S"]
        self._expected = deque([head, *kept])

    def _finish(self, action: Action, outcome: Outcome, now: float) -> list[Finished]:
        if action.finished:
            return []
        action.finished = True
        return [(action, action.result(outcome, now))]

    def broken_off(self, now: float) -> list[Finished]:
        """The session ends: every action whose end was not seen was interrupted."""
        finished: list[Finished] = []
        for action in [*(one.action for one in self._expected), *self._portals.values()]:
            if action is not None and action.number:
                finished += self._finish(action, Outcome.INTERRUPTED, now)
        return finished

    def refuse(self, batches: Iterable[Batch], error: bytes) -> bytes:
        """What a client is told whose messages do not go on: `error`, and ReadyForQuery where it waits for it.

        Messages of the extended protocol are then discarded up to Sync, as a server does after an error.
        """
        reply = bytearray()
        for batch in batches:
            for action in batch.actions:
                action.finished = True
            for frame in batch.frames:
                kind = chr(frame.kind)
                if kind in "QF" and not self._discarding:
                    reply += error + backend.ready_for_query(self.status)
                elif kind in "PBEDC" and not self._discarding:
                    reply += error
                    self._discarding = True
                elif kind == "S":
                    reply += backend.ready_for_query(self.status)
                    self._discarding = False
        return bytes(reply)

    @property
    def discarding(self) -> bool:
        """Whether the client's messages are being discarded up to its next Sync."""
        return self._discarding
