"""What a client and a target are doing, message by message: which statement runs, and which answer is whose.

- An action begins with a Query, a Bind or a FunctionCall: planning a Bind may already run code, so a Bind is an
  action even if its portal is never executed.
- Answers come in the order of the messages, so a queue of what is expected tells whose answer it is. An error in
  the extended protocol skips everything up to the next Sync, a Query too (manual section 54.2.3).
- Statements and portals are known by name, and a name means what the target has confirmed. What is not known here
  (SQL PREPARE, a cursor) is recorded by its name.

Pure: frames and events in, actions and results out; the present moment is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sojourn.domain.events import Outcome
from sojourn.gateway.entries import Intention, Result

from . import backend, frontend, intentions
from .action import Action, Batch, Expected, Finished
from .backend import Status
from .frontend import Bind
from .lone import Lone, answered, result, said
from .names import Names, Naming
from .walk import Event
from .wire import LIMIT_EXCEEDED, Frame, WireError

PORTALS_MAX = 100_000
_ANSWERS = {"1": "P", "2": "B", "3": "C", "t": "D", "T": "D", "n": "D"}


@dataclass(slots=True)
class Conversation:
    """The state of one session's conversation. `status` is the transaction status last seen.

    `failures` are statements that failed without being an action (a Parse by itself, the commit at a Sync); whoever
    reads them takes them away.
    """

    status: Status = Status.IDLE
    failures: list[tuple[Intention, Result]] = field(default_factory=list)
    _names: Names = field(default_factory=Names)
    _group: int = 0
    _prepares: bool = False
    _portals: dict[bytes, Action] = field(default_factory=dict)
    _bound: set[Action] = field(default_factory=set)
    _expected: deque[Expected] = field(default_factory=deque)
    _skipping: bool = False
    _unsynced: bool = False
    _copying: Action | None = None
    _lone: Lone | None = None

    @property
    def settled(self) -> bool:
        """Whether no answer is due."""
        return not self._expected and not self._skipping and self._lone is None

    @property
    def between_groups(self) -> bool:
        """Whether nothing is under way: no answer is due, no Sync is missing, and no transaction is open."""
        return self.status is Status.IDLE and self.settled and not self._unsynced

    @property
    def running(self) -> bool:
        """Whether the target owes an answer to an action."""
        if self._lone is not None:
            return True
        return any(one.action is not None and not one.action.finished for one in self._expected)

    def lone(self, chunk: bytes) -> Lone | None:
        """Read a statement that comes by itself while nothing else is under way; None if it has to go the long way."""
        if not self.settled or self._unsynced or self._portals or self._bound or self._copying is not None:
            return None
        found = said(chunk)
        if found is None:
            return None
        text = found.sql if found.parsed is None else found.parsed.sql
        if text:
            self._look_for_prepare(text)
        naming = None if found.parsed is None else Naming(found.parsed.statement, text, self._group)
        if naming is not None:
            self._names.announce(naming)
        intention = intentions.statement_intention(text) if found.bound is None else self._binding(found.bound)
        return Lone(chunk, found, intention, naming)

    def answered_whole(self, chunk: bytes, now: float) -> tuple[int, Result] | None:
        """Read the whole answer to a lone statement: its number, and what became of it. None for the long way."""
        lone = self._lone
        if lone is None or (answer := answered(lone.said, chunk)) is None:
            return None
        self._lone = None
        self.status = answer.status
        if lone.naming is not None:
            self._names.confirm(lone.naming)
        return lone.number, result(lone, answer, now)

    def _join(self) -> None:
        """Let a lone statement that is under way go on the long way, as if it had gone there from the beginning."""
        if self._lone is not None:
            lone, self._lone = self._lone, None
            self.forwarded(self._whole(lone), lone.started)

    def _whole(self, lone: Lone) -> Batch:
        if lone.naming is not None:
            self._names.withdraw(lone.naming)
        batch = self.stage(lone.frames)
        (lone.action,) = batch.actions
        lone.action.number = lone.number
        return batch

    def stage(self, frames: Sequence[Frame]) -> Batch:
        """Read messages of the client; gives what they are, nothing of it forwarded yet.

        Each batch is either `forwarded` or `withdraw`n before the next one is staged. Raises WireError for a
        malformed message.
        """
        self._join()
        batch = Batch(list(frames))
        for frame in frames:
            self._stage(frame, batch)
        return batch

    def _stage(self, frame: Frame, batch: Batch) -> None:
        kind = chr(frame.kind)
        match kind:
            case "Q":
                sql = frontend.parse_query(frame.payload).sql
                self._look_for_prepare(sql)
                self._begin(batch, frame, kind, intentions.statement_intention(sql))
            case "P":
                parsed = frontend.parse_parse(frame.payload)
                self._look_for_prepare(parsed.sql)
                self._announce(batch, "P", Naming(parsed.statement, parsed.sql, self._group))
            case "B":
                bound = frontend.parse_bind(frame.payload)
                action = self._begin(batch, frame, kind, self._binding(bound))
                action.portal = bound.portal
                action.replaced = self._portals.get(bound.portal)
                self._name_portal(bound.portal, action)
            case "E":
                portal = frontend.parse_execute(frame.payload).portal
                known = self._portals.get(portal)
                if known is None:
                    known = self._begin(batch, frame, kind, intentions.portal_intention(portal))
                    known.portal = portal
                    self._name_portal(portal, known)
                else:
                    batch.expected.append(Expected("E", known))
            case "C":
                closing = frontend.parse_close(frame.payload)
                if closing.portal:
                    batch.expected.append(Expected("C", self._portals.get(closing.name)))
                else:
                    self._announce(batch, "C", Naming(closing.name, None, self._group))
            case "F":
                called = frontend.parse_function_call(frame.payload)
                self._begin(batch, frame, kind, intentions.function_intention(called))
            case "D" | "S" | "c" | "f":
                self._group += kind == "S"
                batch.expected.append(Expected("c" if kind == "f" else kind))
            case "d":
                copying = self._copying or (batch.actions[-1] if batch.actions else None)
                if copying is not None:
                    copying.bytes_in += len(frame.raw)

    def _begin(self, batch: Batch, frame: Frame, kind: str, intention: Intention) -> Action:
        action = Action(intention, bytes_in=len(frame.raw))
        batch.actions.append(action)
        batch.expected.append(Expected(kind, action))
        return action

    def _announce(self, batch: Batch, kind: str, naming: Naming) -> None:
        self._names.announce(naming)
        batch.expected.append(Expected(kind, naming=naming))

    def _name_portal(self, name: bytes, action: Action) -> None:
        self._portals[name] = action
        if len(self._portals) > PORTALS_MAX:
            raise WireError("the session holds too many portals", LIMIT_EXCEEDED)

    def _look_for_prepare(self, sql: bytes) -> None:
        """From the first SQL PREPARE on, a statement's name may stand for something that this protocol did not say."""
        self._prepares = self._prepares or intentions.known_text(sql).prepares

    def _binding(self, bound: Bind) -> Intention:
        texts = self._names.texts(bound.statement, self._group)
        if not texts:
            return intentions.unknown_statement_intention(bound)
        return intentions.statement_intention(texts[-1], binds=bound, others=texts[:-1], certain=not self._prepares)

    def forwarded(self, batch: Batch | Lone, now: float) -> list[Finished]:
        """Say that the batch goes to the target. What the target will skip is finished at once."""
        finished: list[Finished] = []
        if isinstance(batch, Lone):
            self._lone, batch.started = batch, now
            return finished
        for action in batch.actions:
            action.started = now
            action.intention = None
        for one in batch.expected:
            if one.kind == "S":
                self._unsynced = False
                if self._copying is not None and not self._skipping and not self._ends_copy():
                    continue
                self._skipping = False
            elif self._skipping:
                finished += self._skipped(one, now)
                continue
            elif one.kind == "c":
                if not self._expected:
                    continue
            elif one.kind == "Q":
                self._unsynced = False
            else:
                self._unsynced = True
            if one.action is not None:
                one.action.due += 1
            self._expected.append(one)
        return finished

    def _ends_copy(self) -> bool:
        return any(one.kind == "c" for one in self._expected)

    def answered(self, events: Iterable[Event], now: float) -> list[Finished]:
        """Read what the target sent; gives the actions that ended."""
        self._join()
        finished: list[Finished] = []
        for event in events:
            head = self._expected[0] if self._expected else None
            action = head.action if head is not None else None
            if action is not None:
                action.rows_counted += event.rows
                action.bytes_out += event.row_bytes + event.copy_bytes
            kind = chr(event.kind)
            match kind:
                case "C" | "I" | "s" | "V":
                    finished += self._command_ended(kind, event, now)
                case "E":
                    finished += self._failed(event, now)
                case "Z":
                    finished += self._ready(event, now)
                case "G":
                    self._copy_began()
                case "W":  # Replication goes both ways, and there is no Sync in it.
                    self._copying = action
                case "1" | "2" | "3" | "n" | "t" | "T":
                    if head is not None and head.kind == _ANSWERS[kind] and kind != "t":
                        finished += self._confirmed(self._pop(), now)
        return finished

    def _pop(self) -> Expected:
        head = self._expected.popleft()
        if head.action is not None:
            head.action.due -= 1
        while self._expected and self._expected[0].kind == "c":
            self._expected.popleft()
        return head

    def _confirmed(self, head: Expected, now: float) -> list[Finished]:
        """A Parse, Bind, Describe or Close has succeeded."""
        if head.naming is not None:
            self._names.confirm(head.naming)
        if head.action is None:
            return []
        over = head.action
        if head.kind == "B":
            self._bound.add(head.action)
            if head.action.replaced is None:
                return []
            over, head.action.replaced = head.action.replaced, None
        return self._portal_over(over, now) if not over.due else []

    def _command_ended(self, kind: str, event: Event, now: float) -> list[Finished]:
        head = self._expected[0] if self._expected else None
        if head is None or head.action is None:
            return []
        action = head.action
        action.answered = True
        if kind == "C":
            completion = backend.parse_command_complete(event.payload)
            action.tag(completion.tag, completion.rows)
        elif kind == "s":
            action.fetched()
            self._bound.add(action)
        if head.kind != "E":
            return []
        self._copying = None
        self._pop()
        return [] if kind == "s" else self._finish(action, Outcome.COMPLETED, now)

    def _failed(self, event: Event, now: float) -> list[Finished]:
        fields = backend.parse_error(event.payload)
        sqlstate, text = fields.get("C", "")[:5], fields.get("M", "")
        self._copying = None
        if not self._expected:
            return []
        head = self._expected[0]
        if head.kind in "QF":
            assert head.action is not None
            head.action.answered = True
            head.action.sqlstate, head.action.message = sqlstate, text
            return []
        failed = Result(outcome=Outcome.FAILED, sqlstate=sqlstate, message=text.encode())
        if head.kind == "S":
            self.failures.append((intentions.commit_intention(), failed))
            return []
        if head.naming is not None and head.naming.sql is not None:
            self.failures.append((intentions.statement_intention(head.naming.sql), failed))
        finished: list[Finished] = []
        if head.action is not None and head.kind != "C":
            head.action.sqlstate, head.action.message = sqlstate, text
            finished += self._finish(head.action, Outcome.FAILED, now)
        while self._expected and self._expected[0].kind != "S":
            finished += self._skipped(self._pop(), now)
        self._skipping = not self._expected
        return finished

    def _skipped(self, one: Expected, now: float) -> list[Finished]:
        """The target passes over a message because of an error before it."""
        if one.naming is not None:
            self._names.withdraw(one.naming)
        if one.action is None or one.kind == "C" or (one.kind == "E" and one.action in self._bound):
            return []
        return self._finish(one.action, Outcome.SKIPPED, now)

    def _ready(self, event: Event, now: float) -> list[Finished]:
        """ReadyForQuery. One that nothing waits for answers a Sync that a failed COPY left unread; nobody's is it."""
        self.status = Status(event.payload.decode()) if event.payload in (b"I", b"T", b"E") else self.status
        self._copying = None
        finished: list[Finished] = []
        head = self._expected[0] if self._expected else None
        if head is None:
            self._skipping = False
        elif head.kind == "S":
            self._pop()
        elif head.kind in "QF" and head.action is not None and head.action.answered:
            self._pop()
            outcome = Outcome.FAILED if head.action.sqlstate else Outcome.COMPLETED
            finished += self._finish(head.action, outcome, now)
        if self.status is Status.IDLE:
            # Portals end with their transaction.
            for action in tuple(self._bound):
                finished += self._portal_over(action, now) if not action.due else []
        return finished

    def _portal_over(self, action: Action, now: float) -> list[Finished]:
        """A portal is gone: what was fetched from in part is complete, what was never executed was skipped."""
        action.fetched() if action.rows_counted else None
        return self._finish(action, Outcome.COMPLETED if action.executed else Outcome.SKIPPED, now)

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
        self._bound.discard(action)
        if action.finished:
            return []
        action.finished = True
        if action.portal is not None and self._portals.get(action.portal) is action:
            # If this Bind never happened, the name still means what it meant before.
            older = action.replaced
            while older is not None and older.finished:
                older = older.replaced
            if older is None:
                del self._portals[action.portal]
            else:
                self._portals[action.portal] = older
        return [(action, action.result(outcome, now))]

    def broken_off(self, now: float) -> list[Finished]:
        """The session ends: every action whose end was not seen was interrupted."""
        self._join()
        finished: list[Finished] = []
        for action in [*(one.action for one in self._expected), *self._bound]:
            if action is not None and action.number:
                finished += self._finish(action, Outcome.INTERRUPTED, now)
        return finished

    def withdraw(self, batch: Batch | Lone, now: float) -> list[Finished]:
        """The batch does not go on after all; gives its actions, all skipped."""
        if isinstance(batch, Lone):
            batch = self._whole(batch)
        finished: list[Finished] = []
        for one in batch.expected:
            if one.naming is not None:
                self._names.withdraw(one.naming)
        for action in batch.actions:
            finished += self._finish(action, Outcome.SKIPPED, now)
        return finished
