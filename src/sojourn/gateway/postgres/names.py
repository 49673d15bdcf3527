"""Which text a prepared statement's name stands for, so that a record shows what really runs.

- A name means what the target has confirmed. A Parse that failed or was skipped changes nothing.
- A Bind may be sent before the target has answered to an earlier Parse or Close of its name. Those of its own group
  (up to Sync) must have succeeded if it runs at all; those of earlier groups may have failed, so every text that the
  name may then have is given.
- Nothing is forgotten to make room: what would exceed the limit is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .wire import LIMIT_EXCEEDED, WireError

STATEMENTS_MAX = 100_000
STATEMENT_BYTES_MAX = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Naming:
    """A Parse (or, without `sql`, a Close) of a statement, in the group of messages of that number."""

    name: bytes
    sql: bytes | None
    group: int


@dataclass(slots=True)
class Names:
    """The prepared statements of one session: those confirmed, and what is not yet answered."""

    _known: dict[bytes, bytes] = field(default_factory=dict)
    _pending: dict[bytes, list[Naming]] = field(default_factory=dict)
    _bytes: int = 0

    def announce(self, naming: Naming) -> None:
        """A naming is on its way. Raises WireError 54000 when the session holds too much already."""
        size = len(naming.name) + len(naming.sql or b"")
        if self._bytes + size > STATEMENT_BYTES_MAX or len(self._known) + len(self._pending) >= STATEMENTS_MAX:
            raise WireError("the session holds too many prepared statements", LIMIT_EXCEEDED)
        self._bytes += size
        self._pending.setdefault(naming.name, []).append(naming)

    def confirm(self, naming: Naming) -> None:
        """The target has done it."""
        self._forget(naming)
        replaced = self._known.pop(naming.name, None)
        if replaced is not None:
            self._bytes -= len(naming.name) + len(replaced)
        if naming.sql is not None:
            self._known[naming.name] = naming.sql
            self._bytes += len(naming.name) + len(naming.sql)

    def withdraw(self, naming: Naming) -> None:
        """It failed, was skipped by the target, or never went on."""
        self._forget(naming)

    def _forget(self, naming: Naming) -> None:
        waiting = self._pending.get(naming.name, [])
        if naming in waiting:
            waiting.remove(naming)
            self._bytes -= len(naming.name) + len(naming.sql or b"")
        if not waiting:
            self._pending.pop(naming.name, None)

    def texts(self, name: bytes, group: int) -> tuple[bytes, ...]:
        """What the name may stand for when a Bind of this group runs, the likeliest last; empty if not known here."""
        if not self._pending:
            known = self._known.get(name)
            return () if known is None else (known,)
        possible = [self._known[name]] if name in self._known else []
        for naming in self._pending.get(name, ()):
            if naming.group == group:
                possible = []
            if naming.sql is not None and naming.sql not in possible:
                possible.append(naming.sql)
        return tuple(possible)
