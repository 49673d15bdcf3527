"""Stop: somebody entitled ends one session of an access. The access goes on, until it ends or is revoked."""

from __future__ import annotations

from sojourn.domain.events import SessionClosed, SessionOpened
from sojourn.domain.grant import Grant, StopSession
from sojourn.domain.identifiers import PersonId, SessionId, session_stream
from sojourn.errors import Code, Refusal

from .deciding import Attempt, on_grant, plainly, refuse, shown
from .loading import is_id
from .ports import Office


async def stop(office: Office, *, session: SessionId, person: PersonId, source: str) -> Grant | Refusal | None:
    """End the session. Gives its grant, why not (on record), or None for a session that is over already.

    The gateway closes it when it reads of it. Raises SojournError from the ledger.
    """
    attempt = Attempt(verb="stop", actor=person, source=source)
    stream = session_stream(session)
    entries = await office.ledger.stream(stream) if is_id(session) else ()
    opened = next((one.event for one in entries if isinstance(one.event, SessionOpened)), None)
    if opened is None:
        return await refuse(office, attempt, stream, Refusal(Code.SESSION_UNKNOWN, {"session": shown(session)}))
    if any(isinstance(one.event, SessionClosed) for one in entries):
        return None
    command = StopSession(person=person, session=session, source=shown(source))
    return await on_grant(office, attempt, opened.grant, plainly(command), guarded=True)
