"""An action on its way: what is intended, what has come back so far, and what is to be recorded of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sojourn.domain.events import Outcome
from sojourn.gateway.recorder import Intention, Result

from .names import Naming
from .wire import Frame


@dataclass(slots=True, eq=False)
class Action:
    """One action. `number` is 0 until its intent is durable; `started` is when it went on, on the loop's clock.

    `rows_fetched` are rows seen since the last answer that said how many there were. `ended` says that the target has
    finished with it; `prepares` that it is a Parse alone, which runs nothing.
    """

    intention: Intention
    prepares: bool = False
    number: int = 0
    started: float = 0.0
    tags: list[str] = field(default_factory=list)
    rows: int = 0
    rows_fetched: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    sqlstate: str = ""
    message: str = ""
    answered: bool = False
    ended: bool = False

    def result(self, outcome: Outcome, now: float) -> Result:
        """What is to be recorded of it."""
        return Result(
            outcome=outcome,
            tags=tuple(self.tags),
            sqlstate=self.sqlstate,
            rows=self.rows + self.rows_fetched,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            duration_us=round((now - self.started) * 1e6) if self.started else 0,
            message=self.message.encode(),
        )


Finished = tuple[Action, Result]


@dataclass(slots=True, eq=False)
class Expected:
    """An answer that is to come: the message's type, the action it belongs to, and the name that hangs on it.

    `c` stands for the end of a COPY by the client, which has no answer of its own.
    """

    kind: str
    action: Action | None = None
    statement: Naming[bytes] | None = None
    portal: Naming[Action] | None = None


@dataclass(slots=True)
class Batch:
    """Messages of a client that go to the target together, once its actions are on record."""

    frames: Sequence[Frame]
    actions: list[Action]
    expected: list[Expected]

    @property
    def raw(self) -> bytes:
        """The bytes to forward."""
        return self.frames[0].raw if len(self.frames) == 1 else b"".join([frame.raw for frame in self.frames])
