"""The promises, checked against a ledger by an eye of its own: entry by entry, with nothing of the rules under test.

- Decided: enough different people, entitled then and now, none of them the requester by whatever account or delegation.
- Over on time: one end, moved only by an approved extension; nothing becomes active after it; removed only when ended.
- Each grant for itself: what one stream says changes no other.
- Nobody acts who has left. Nothing new while a review is overdue, or of what a certification took away.
- The configuration changes by two people where there are two.

`Promises.see` takes entries in order. What is broken is told in words, in `broken`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sojourn.domain.history import Recorded

from .access import Accesses
from .assurance import Assurance
from .company import Company


@dataclass(slots=True)
class Promises:
    """Looks at every entry once. `attachments` has the catalogues; `slack` is how far the clocks of nodes may be off.

    `seen` entries have been looked at.
    """

    attachments: Mapping[str, bytes]
    slack: timedelta = timedelta(0)
    seen: int = 0
    broken: list[str] = field(default_factory=list)
    company: Company = field(init=False)
    accesses: Accesses = field(init=False)
    assurance: Assurance = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self.company = Company(self.attachments)
        self.accesses = Accesses(self.company, self.slack)
        self.assurance = Assurance(self.company, self.slack)

    def see(self, entries: Iterable[Recorded]) -> None:
        """Look at entries that were not looked at yet, in order."""
        for recorded in entries:
            if recorded.seq < self.seen:
                continue
            self.seen = recorded.seq + 1
            told = (
                *self.company.told(recorded),
                *self.accesses.told(recorded),
                *self.assurance.told(recorded),
            )
            self.broken += (f"entry {recorded.seq} ({recorded.event.kind}): {one}" for one in told)

    def unfinished(self) -> tuple[str, ...]:
        """What is still to come of what has been begun: grants that are not removed, in words."""
        return tuple(
            f"grant {name} is {'ended' if one.ended else 'open'} and not removed"
            for name, one in sorted(self.accesses.grants.items())
            if not one.removed
        )
