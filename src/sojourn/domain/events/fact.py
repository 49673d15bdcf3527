"""What others have told about the world: who is on call, who deployed, which incidents and tickets there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import FactKind
from sojourn.domain.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Somebody is on call for some time."""

    person: PersonId
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class FactTold:
    """A fact, in the place of what was told about the same before. It holds until `until`, and not a moment longer.

    `subject` names a schedule, a target, an incident or a ticket. `state` is that of an incident or a ticket, `sort`
    the kind of a ticket. `people` deployed what runs on the target, or are to carry out the ticket; `shifts` are those
    of a schedule. `origin` says where whoever told it has it from.
    """

    kind: ClassVar[str] = "fact.told"
    fact: FactKind
    subject: str
    told_by: PersonId
    until: datetime
    origin: str
    source: str
    state: str = ""
    sort: str = ""
    people: tuple[PersonId, ...] = ()
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactWithdrawn:
    """What was told about it is no longer so."""

    kind: ClassVar[str] = "fact.withdrawn"
    fact: FactKind
    subject: str
    told_by: PersonId
    source: str
