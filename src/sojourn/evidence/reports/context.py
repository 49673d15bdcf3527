"""What every report is made from: the books, what was asked, and the record itself to read again from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sojourn.domain.identifiers import RequestId
from sojourn.evidence.accesses import Access, Books
from sojourn.evidence.attributes import AttributeTest, Disposed, disposals
from sojourn.evidence.attributes.answer import Letter, passed
from sojourn.evidence.findings import Found, fold_findings
from sojourn.ledger import entry as entries
from sojourn.settings import Settings

from .parameters import Backing, Base, Parameters
from .population import Event, events


@dataclass(slots=True, kw_only=True)
class Context:
    """`raw(seq)` gives the bytes of an entry again, by another way than the one that the books were folded by.

    `drawn` is the sample, once a report has drawn it.
    """

    books: Books
    parameters: Parameters
    base: Base
    raw: Callable[[int], bytes]
    backing: Backing = field(default_factory=Backing)
    settings: Settings = field(default_factory=Settings)
    drawn: list[Event] = field(default_factory=list, init=False)
    _events: list[Event] | None = field(default=None, init=False)
    _disposed: Mapping[RequestId, tuple[Disposed, ...]] = field(init=False)
    all_findings: tuple[Found, ...] = field(init=False)
    """Everything that targets in scope and the record did not both know, whenever it was."""

    def __post_init__(self) -> None:
        """Sort what targets showed, and what was said about exceptions."""
        self._disposed = disposals(self.books.others)
        scope = self.parameters.targets
        found = fold_findings(self.books.others)
        self.all_findings = tuple(one for one in found if not scope or one.target in scope)

    @property
    def findings(self) -> tuple[Found, ...]:
        """Those of the period: told of in it, or open when it began."""
        return tuple(one for one in self.all_findings if one.in_period(self.parameters.period))

    @property
    def events(self) -> list[Event]:
        """Every access event of the period with its tests, worked out once."""
        if self._events is None:
            self._events = list(self.worked_out())
        return self._events

    def worked_out(self) -> Iterator[Event]:
        """The same, each as soon as it is worked out, and kept when all are: who writes the first need not wait."""
        if self._events is not None:
            yield from self._events
            return
        worked_out = []
        for event in events(
            self.books,
            period=self.parameters.period,
            as_of=self.parameters.as_of,
            integrity=self.integrity,
            dispositions=self.dispositions,
            wanted=self.wanted,
        ):
            worked_out.append(event)
            yield event
        self._events = worked_out

    def wanted(self, access: Access) -> bool:
        """Whether an access is on a target that the report is about."""
        targets = self.parameters.targets
        return not targets or access.asked.event.target in targets

    @property
    def integrity(self) -> AttributeTest:
        """The answer to K for all of it."""
        base = self.base
        fine = "every entry leads to the signed root that the parameters name; repeat it with sojourn-verify"
        return passed(Letter.K, not base.problem, base.problem or fine)

    def dispositions(self, access: Access) -> tuple[str, ...]:
        """What was done about the exceptions of an access, in words."""
        return tuple(one.in_words for one in self.disposed(access))

    def disposed(self, access: Access) -> tuple[Disposed, ...]:
        """What was done about the exceptions of an access, in the order in which it was said."""
        return self._disposed.get(access.request, ())

    def again(self, seq: int) -> tuple[str, str, dict[str, Any]]:
        """Kind, time (as it is written) and body of the entry at a place, read again."""
        entry = entries.parse(self.raw(seq))
        return entry.kind, entry.at.isoformat(), json.loads(entry.body)
