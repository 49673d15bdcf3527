"""Evidence: say on record what was given to whom, and what becomes of an exception."""

from __future__ import annotations

from collections.abc import Callable

from sojourn.domain import exception as exceptions
from sojourn.domain.events import Disposition, EvidenceForm, EvidenceGiven, ExceptionDisposed, FindingDisposed
from sojourn.domain.exception import Dispose
from sojourn.domain.finding import DisposeOfFinding, Unmatched, dispose_of_finding
from sojourn.domain.history import Change
from sojourn.domain.identifiers import EVIDENCE, FindingId, PersonId, RequestId, exception_stream, request_stream
from sojourn.errors import Code, Refusal, SojournError

from .deciding import TRIES_MAX, Attempt, append_unless_stale, refuse, shown
from .loading import is_id, load_request
from .ports import Office
from .submit import too_long


async def give_evidence(
    office: Office, *, form: EvidenceForm, subject: str, person: PersonId, sha256: str, size: int, source: str
) -> None:
    """Put on record that `person` is given evidence; it is given only after this returns.

    `sha256` (hex) and `size` (bytes) are those of what is given. Raises what the ledger raises.
    """
    event = EvidenceGiven(
        form=form, subject=shown(subject), person=person, sha256=sha256, bytes=size, source=shown(source)
    )
    await office.ledger.append((Change(stream=EVIDENCE, event=event, seen=None),))


async def dispose_of_exceptions(
    office: Office,
    *,
    request: RequestId,
    person: PersonId,
    letters: tuple[str, ...],
    disposition: Disposition,
    owner: PersonId,
    ticket: str,
    remark: str,
    source: str,
) -> ExceptionDisposed | Refusal:
    """Say what becomes of the exceptions of an access event. `remark` is sealed.

    Gives what was recorded, or why not (on record as an attempt). Raises SojournError from the ledger.
    """
    attempt = Attempt(verb="dispose", actor=person, source=source)
    subject = request_stream(request)
    for tried in range(TRIES_MAX):
        adopted = office.in_force()
        state = await load_request(office.ledger, request) if is_id(request) else None
        refusal = _says_why(remark)
        if state is None:
            refusal = Refusal(Code.REQUEST_UNKNOWN, {"request": shown(request)})
        if refusal is not None or state is None:
            assert refusal is not None
            return await refuse(office, attempt, subject, refusal)
        sealing = office.sealer.seal(person, remark.encode("utf-8", "backslashreplace"))
        command = Dispose(
            person=person,
            letters=letters,
            disposition=disposition,
            owner=owner,
            ticket=shown(ticket),
            remark=sealing.sealed,
            source=shown(source),
        )
        event = exceptions.dispose(state, command, adopted)
        if isinstance(event, Refusal):
            return await refuse(office, attempt, subject, event)
        change = Change(stream=exception_stream(state.id), event=event, seen=None)
        if await append_unless_stale(office, tried, (change,), (sealing,), adopted):
            return event
    raise SojournError(Code.RECORD_STALE, stream=subject)


async def dispose_of_a_finding(
    office: Office,
    *,
    finding: FindingId,
    find: Callable[[FindingId], Unmatched | None],
    person: PersonId,
    disposition: Disposition,
    owner: PersonId,
    ticket: str,
    remark: str,
    source: str,
) -> FindingDisposed | Refusal:
    """Say what becomes of what a target and the record did not both know. `remark` is sealed.

    `find` gives what is on record by that name, for as long as it lasts: a finding never goes away again. Gives what
    was recorded, or why not (on record as an attempt). Raises SojournError from the ledger.
    """
    attempt = Attempt(verb="dispose", actor=person, source=source)
    subject = exception_stream(FindingId(shown(finding)))
    state = find(finding) if is_id(finding) else None
    refusal = _says_why(remark)
    if state is None:
        refusal = Refusal(Code.FINDING_UNKNOWN, {"finding": shown(finding)})
    if refusal is not None or state is None:
        assert refusal is not None
        return await refuse(office, attempt, subject, refusal)
    for tried in range(TRIES_MAX):
        adopted = office.in_force()
        sealing = office.sealer.seal(person, remark.encode("utf-8", "backslashreplace"))
        command = DisposeOfFinding(
            person=person,
            disposition=disposition,
            owner=owner,
            ticket=shown(ticket),
            remark=sealing.sealed,
            source=shown(source),
        )
        event = dispose_of_finding(state, command, adopted)
        if isinstance(event, Refusal):
            return await refuse(office, attempt, subject, event)
        change = Change(stream=exception_stream(state.finding), event=event, seen=None)
        if await append_unless_stale(office, tried, (change,), (sealing,), adopted):
            return event
    raise SojournError(Code.RECORD_STALE, stream=subject)


def _says_why(remark: str) -> Refusal | None:
    if not remark.strip():
        return Refusal(Code.INPUT_INVALID, {"problem": "Nothing says why", "expected": "a remark"})
    return too_long(remark)
