"""Comment: somebody whom a request concerns says something, asks something, or answers."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.identifiers import PersonId, RequestId
from sojourn.domain.request import Comment, Request
from sojourn.errors import Code, Refusal

from .deciding import Attempt, Decided, on_request, shown
from .ports import Office
from .submit import too_long


async def comment(
    office: Office,
    *,
    request: RequestId,
    person: PersonId,
    text: str,
    source: str,
    question: bool = False,
    answers: int | None = None,
) -> Request | Refusal:
    """Say `text` about the request; with `question` it waits for an answer, with `answers` it answers that number.

    `text` is sealed. Gives the request afterwards, or why not (on record as an attempt). Raises SojournError from
    the ledger.
    """

    def decide(state: Request, adopted: Adopted, now: datetime) -> Decided | Refusal:
        if not text.strip():
            return Refusal(Code.INPUT_INVALID, {"problem": "Nothing was said", "expected": "a text"})
        refusal = too_long(text)
        if refusal is not None:
            return refusal
        sealing = office.sealer.seal(person, text.encode("utf-8", "backslashreplace"))
        command = Comment(person=person, text=sealing.sealed, source=shown(source), question=question, answers=answers)
        decided = requests.decide(state, command, adopted, now)
        return decided if isinstance(decided, Refusal) else Decided(events=decided, sealings=(sealing,))

    attempt = Attempt(verb="comment", actor=person, source=source)
    return await on_request(office, attempt, request, decide, guarded=True)
