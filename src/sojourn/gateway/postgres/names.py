"""Names that a client gives to statements and portals, while it is not known yet whether the target took them.

A client may go on before it has an answer. A name is therefore a chain of namings, the newest first, until the target
confirms or refuses each: what is refused has never been, and the name means again what it meant before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")

NAMES_MAX = 20_000


@dataclass(slots=True, eq=False)
class Naming(Generic[Value]):
    """One change of one name, made in one group of messages (up to Sync). None as `value` takes the name away."""

    name: bytes
    value: Value | None
    group: int
    before: Naming[Value] | None
    confirmed: bool = False
    refused: bool = False


@dataclass(slots=True)
class Names(Generic[Value]):
    """What each name means. At most `NAMES_MAX` are known; the oldest is forgotten first."""

    _latest: dict[bytes, Naming[Value]] = field(default_factory=dict)
    _open: int = 0

    def give(self, name: bytes, value: Value | None, group: int) -> Naming[Value]:
        """The client gives the name a meaning (or takes it away); the target has still to answer."""
        naming = Naming(name, value, group, self._current(name))
        self._latest[name] = naming
        self._open += 1
        while len(self._latest) > NAMES_MAX:
            del self._latest[next(iter(self._latest))]
        return naming

    def meaning(self, name: bytes) -> Value | None:
        """What the name means to the newest messages; None if it is not known here."""
        naming = self._current(name)
        return None if naming is None else naming.value

    def unsettled(self, name: bytes, group: int) -> bool:
        """Whether the name's meaning hangs on an answer to an earlier group, which may still be a refusal."""
        if not self._open:
            return False
        naming = self._current(name)
        return naming is not None and not naming.confirmed and naming.group != group

    def confirm(self, naming: Naming[Value]) -> None:
        """The target took it."""
        self._open -= 1
        naming.confirmed, naming.before = True, None
        if naming.value is None and self._latest.get(naming.name) is naming:
            del self._latest[naming.name]

    def refuse(self, naming: Naming[Value]) -> None:
        """The target did not take it."""
        self._open -= 1
        naming.refused = True
        if self._latest.get(naming.name) is naming:
            current = self._current(naming.name)
            if current is None:
                del self._latest[naming.name]
            else:
                self._latest[naming.name] = current

    def confirmed(self) -> tuple[tuple[bytes, Value], ...]:
        """All names that the target has confirmed."""
        return tuple((name, one.value) for name, one in self._latest.items() if one.confirmed and one.value is not None)

    def forget(self, name: bytes) -> None:
        """The name is gone in the target by itself."""
        self._latest.pop(name, None)

    def _current(self, name: bytes) -> Naming[Value] | None:
        naming = self._latest.get(name)
        while naming is not None and naming.refused:
            naming = naming.before
        return naming
