"""One statement on its way, and the batch of messages that it travels in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sojourn.domain.events import Outcome
from sojourn.gateway.entries import Intention, Result

from .names import Naming
from .vocabulary import VerbClass
from .wire import Frame

TAGS_MAX = 50
"""An outcome must fit into one entry of the record; further tags are counted."""

_READS = frozenset({VerbClass.READ, VerbClass.COPY_OUT})


def only_reads(intentions: Iterable[Intention]) -> bool:
    """Whether all of them are labelled as what reads and changes nothing."""
    return all(one.verb in _READS and not one.may_write for one in intentions)


@dataclass(slots=True, eq=False)
class Action:
    """One statement: what is intended, and what has come back so far.

    `portal` is the name it was bound to, `replaced` the action that had this name before. `due` counts the answers
    to come, `answered` says that its own end or error was seen, `executed` that it ran at least in part.
    """

    intention: Intention | None
    portal: bytes | None = None
    replaced: Action | None = None
    number: int = 0
    started: float = 0.0
    tags: list[str] = field(default_factory=list)
    tags_more: int = 0
    rows: int = 0
    rows_counted: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    sqlstate: str = ""
    message: str = ""
    due: int = 0
    answered: bool = False
    executed: bool = False
    finished: bool = False

    def tag(self, text: str, rows: int | None) -> None:
        """Note a CommandComplete; where it names no number of rows, those that were seen count."""
        if len(self.tags) < TAGS_MAX:
            self.tags.append(text)
        else:
            self.tags_more += 1
        self.rows += self.rows_counted if rows is None else rows
        self.rows_counted = 0
        self.executed = True

    def fetched(self) -> None:
        """Note that a part of its rows was fetched."""
        self.rows += self.rows_counted
        self.rows_counted = 0
        self.executed = True

    def result(self, outcome: Outcome, now: float) -> Result:
        """What is to be recorded of it."""
        more = (f"and {self.tags_more} more",) if self.tags_more else ()
        return Result(
            outcome=outcome,
            tags=(*self.tags, *more),
            sqlstate=self.sqlstate,
            rows=self.rows,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            duration_us=round((now - self.started) * 1e6) if self.started else 0,
            message=self.message.encode(),
        )


@dataclass(frozen=True, slots=True)
class Expected:
    """An answer that is to come: the message's type, and the action or the naming it belongs to.

    `c` stands for the end of a COPY by the client, which has no answer of its own.
    """

    kind: str
    action: Action | None = None
    naming: Naming | None = None


@dataclass(slots=True)
class Batch:
    """Messages of a client that go to the target together, once its actions are on record."""

    frames: list[Frame]
    actions: list[Action] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)

    @property
    def intentions(self) -> list[Intention]:
        """What is to be on record before the batch goes on."""
        return [action.intention for action in self.actions if action.intention is not None]

    @property
    def only_reads(self) -> bool:
        """Whether every action in it is labelled as one that reads and changes nothing."""
        return only_reads(self.intentions)

    def numbered(self, numbers: Sequence[int]) -> None:
        """The intents of its actions are on record under these numbers."""
        for action, number in zip(self.actions, numbers, strict=True):
            action.number = number

    @property
    def raw(self) -> bytes:
        """The bytes to forward."""
        if len(self.frames) == 1:
            return self.frames[0].raw
        return b"".join(frame.raw for frame in self.frames)


Finished = tuple[Action, Result]
