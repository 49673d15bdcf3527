"""What the company's directory says, decided and recorded: all of it at once, or none of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sojourn.domain import directory
from sojourn.domain.catalogue import Adopted
from sojourn.domain.directory import Said, Saying
from sojourn.domain.events import PersonLeft, PersonReturned
from sojourn.domain.identifiers import STANDING, PersonId
from sojourn.domain.standing import Standing
from sojourn.errors import Refusal

from .deciding import Attempt, Decided, shown
from .ports import Office
from .standing import on_standing

REASON = b"the directory said so"


async def hear(
    office: Office, *, by: PersonId, source: str, verb: str, saying: Callable[[Standing], Saying | Refusal]
) -> Standing | Refusal:
    """Put on record what follows from what the directory says through the program `by`.

    `saying(standing)` is asked anew for every try: what a PATCH means depends on what there is. Gives the standing
    afterwards, or why not (on record). Raises SojournError from the ledger.
    """

    def decide(state: Standing, adopted: Adopted, now: datetime) -> Decided | Refusal:
        told = saying(state)
        if isinstance(told, Refusal):
            return told
        person = PersonId(getattr(told, "person", by))
        sealing = office.sealer.seal(person, REASON)
        said = Said(by=by, source=shown(source), reason=sealing.sealed)
        decided = directory.decide(state, told, said, adopted.catalogue.people)
        if isinstance(decided, Refusal):
            return decided
        sealed = any(isinstance(one, PersonLeft | PersonReturned) for one in decided)
        return Decided(events=decided, sealings=(sealing,) if sealed else ())

    return await on_standing(office, Attempt(verb=verb, actor=by, source=source), STANDING, decide)
