"""Leave: a person has left, or is back. From the moment of the record on they are nobody, or somebody, again."""

from __future__ import annotations

from datetime import datetime

from sojourn.domain import standing as standings
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import TokenRevoked
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, TokenId, account_stream, token_stream
from sojourn.domain.standing import Leave, Return, Standing
from sojourn.errors import Refusal

from .deciding import Attempt, Decided, shown
from .ports import Office
from .standing import on_standing
from .submit import too_long


async def leave(office: Office, *, person: PersonId, by: PersonId, reason: str, source: str) -> Standing | Refusal:
    """Record that `person` has left: their tokens open nothing, their requests and accesses end.

    Gives the standing afterwards, or why not (on record as an attempt). `reason` is sealed. Raises SojournError from
    the ledger.
    """
    return await _record(office, "leave", Leave, person=person, by=by, reason=reason, source=source)


async def come_back(office: Office, *, person: PersonId, by: PersonId, reason: str, source: str) -> Standing | Refusal:
    """Record that `person` is back. What they had does not come back. Gives and raises as `leave` does."""
    return await _record(office, "come_back", Return, person=person, by=by, reason=reason, source=source)


async def _record(
    office: Office,
    verb: str,
    kind: type[Leave] | type[Return],
    *,
    person: PersonId,
    by: PersonId,
    reason: str,
    source: str,
) -> Standing | Refusal:
    def decide(state: Standing, adopted: Adopted, now: datetime) -> Decided | Refusal:
        sealing = office.sealer.seal(person, reason.encode("utf-8", "backslashreplace"))
        command = kind(person=person, recorded_by=by, reason=sealing.sealed, source=shown(source))
        decided = standings.decide(state, command, adopted.catalogue.people, now)
        if isinstance(decided, Refusal):
            return decided
        return too_long(reason) or Decided(events=decided, sealings=(sealing,))

    attempt = Attempt(verb=verb, actor=by, source=source)
    return await on_standing(office, attempt, account_stream(PersonId(shown(person))), decide)


async def revoke_tokens(office: Office, *, tokens: tuple[TokenId, ...], by: PersonId) -> None:
    """Put on record that these tokens are dead, all in one append. Raises SojournError from the ledger."""
    changes = [
        Change(stream=token_stream(token), event=TokenRevoked(token=token, revoked_by=by), seen=None)
        for token in tokens
    ]
    if changes:
        await office.ledger.append(changes)
