"""Away: a person is out of office for some time, and names who decides in their place; or is back early."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import standing as standings
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import AbsenceDeclared
from sojourn.domain.identifiers import AbsenceId, PersonId, account_stream
from sojourn.domain.standing import DeclareAbsence, EndAbsence, Standing
from sojourn.errors import Refusal

from .deciding import Attempt, Decided, shown
from .ports import Office
from .standing import on_standing


async def declare_absence(
    office: Office, *, person: PersonId, start: datetime, end: datetime, delegate: PersonId | None, source: str
) -> AbsenceDeclared | Refusal:
    """Be away from `start` to `end` (UTC). The delegate, if any, decides in the place of `person` meanwhile.

    Gives what was declared, or why not (on record as an attempt). Raises SojournError from the ledger.
    """
    declared: list[AbsenceDeclared] = []

    def decide(state: Standing, adopted: Adopted, now: datetime) -> Decided | Refusal:
        declared.clear()
        command = DeclareAbsence(
            absence=AbsenceId(office.new_id("a")),
            person=person,
            start=start,
            end=end,
            delegate=delegate,
            source=shown(source),
        )
        decided = standings.decide(state, command, adopted.catalogue.people, now)
        if isinstance(decided, Refusal):
            return decided
        declared.extend(event for event in decided if isinstance(event, AbsenceDeclared))
        return Decided(events=decided)

    attempt = Attempt(verb="declare_absence", actor=person, source=source)
    settled = await on_standing(office, attempt, account_stream(person), decide)
    return settled if isinstance(settled, Refusal) else declared[0]


async def end_absence(office: Office, *, absence: AbsenceId, person: PersonId, source: str) -> Standing | Refusal:
    """Be back early, or not go. Gives the standing, or why not (on record). Raises SojournError from the ledger."""
    command = EndAbsence(absence=AbsenceId(shown(absence)), person=person, source=shown(source))

    def decide(state: Standing, adopted: Adopted, now: datetime) -> Decided | Refusal:
        decided = standings.decide(state, command, adopted.catalogue.people, now)
        return decided if isinstance(decided, Refusal) else Decided(events=decided)

    attempt = Attempt(verb="end_absence", actor=person, source=source)
    return await on_standing(office, attempt, account_stream(person), decide)
