"""Change: one person proposes a configuration, another approves it, and everything works under it from then on.

Approving and adopting are one append, with what it takes from whom: there is never one of them without the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping

from sojourn.configuration import settings_bytes
from sojourn.domain import change as changes
from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.change import NO_CHANGES, Approve, Changes, Command, Proposal, Propose, Withdraw
from sojourn.domain.confirmation import Confirmation
from sojourn.domain.events import ConfigurationAdopted, ConfigurationFile, Event
from sojourn.domain.history import Change
from sojourn.domain.identifiers import CHANGES, CONFIGURATION, ChangeId, PersonId
from sojourn.errors import Code, Refusal, SojournError
from sojourn.settings import Settings

from .adopt import catalogue_bytes, losses, read_catalogue
from .deciding import TRIES_MAX, Attempt, append_unless_stale, refuse, shown
from .ports import Ledger, Office
from .submit import too_long

Attachment = Callable[[str], Awaitable[bytes]]


async def load_changes(ledger: Ledger) -> Changes:
    """Every proposal, as the record tells it now. Raises SojournError from the ledger."""
    state = NO_CHANGES
    for recorded in await ledger.stream(CHANGES):
        state = changes.evolve(state, recorded.event)
    return state


async def propose(
    office: Office,
    *,
    person: PersonId,
    catalogue: Catalogue,
    files: Mapping[str, bytes],
    reason: str,
    source: str,
    settings: Settings | None = None,
) -> Proposal | Refusal:
    """Propose `catalogue`, read from `files` (by name), in the place of what is in force. `reason` is sealed.

    `settings` None leaves those in force. Gives the proposal, or why not (on record as an attempt). Raises SojournError
    from the ledger.
    """
    attempt = Attempt(verb="propose_change", actor=person, source=source)
    refusal = too_long(reason)
    if refusal is not None:
        return await refuse(office, attempt, CHANGES, refusal)
    body, held = catalogue_bytes(catalogue), settings_bytes(settings) if settings is not None else b""
    listed = tuple(
        ConfigurationFile(name=name, sha256=hashlib.sha256(text).hexdigest()) for name, text in sorted(files.items())
    )
    for tried in range(TRIES_MAX):
        state, adopted = await load_changes(office.ledger), office.in_force()
        sealing = office.sealer.seal(person, reason.encode("utf-8", "backslashreplace"))
        command = Propose(
            change=ChangeId(office.new_id("c")),
            person=person,
            catalogue_sha256=hashlib.sha256(body).hexdigest(),
            settings_sha256=hashlib.sha256(held).hexdigest() if held else "",
            files=listed,
            reason=sealing.sealed,
            source=shown(source),
        )
        decided = changes.decide(state, command, adopted, catalogue)
        if isinstance(decided, Refusal):
            return await refuse(office, attempt, CHANGES, decided)
        (event,) = decided
        change = Change(stream=CHANGES, event=event, seen=state.version)
        attached = (body, *(text for _, text in sorted(files.items())), *((held,) if held else ()))
        if await append_unless_stale(office, tried, (change,), (sealing,), adopted, attachments=attached):
            return changes.evolve(state, event).proposals[command.change]
    raise SojournError(Code.RECORD_STALE, stream=CHANGES)


async def approve_change(
    office: Office,
    *,
    attachment: Attachment,
    change: ChangeId,
    person: PersonId,
    digest: str,
    source: str,
    confirmation: Confirmation | None = None,
) -> Proposal | Refusal:
    """Approve what has this digest: it is in force with the same append.

    Gives the approved proposal, or why not (on record as an attempt). Raises SojournError from the ledger.
    """
    command = Approve(
        change=ChangeId(shown(change)),
        person=person,
        digest=digest,
        source=shown(source),
        confirmation=confirmation,
    )
    return await _decide(office, Attempt(verb="approve_change", actor=person, source=source), command, attachment)


async def withdraw_change(office: Office, *, change: ChangeId, person: PersonId, source: str) -> Proposal | Refusal:
    """Take a proposal back. Gives it withdrawn, or why not (on record). Raises SojournError from the ledger."""
    command = Withdraw(change=ChangeId(shown(change)), person=person, source=shown(source))
    return await _decide(office, Attempt(verb="withdraw_change", actor=person, source=source), command, None)


async def _decide(
    office: Office, attempt: Attempt, command: Approve | Withdraw, attachment: Attachment | None
) -> Proposal | Refusal:
    for tried in range(TRIES_MAX):
        state, adopted = await load_changes(office.ledger), office.in_force()
        proposed = await _proposed(state, command, attachment)
        decided = changes.decide(state, command, adopted, proposed)
        if isinstance(decided, Refusal):
            return await refuse(office, attempt, CHANGES, decided)
        appended = tuple(_placed(event, state, adopted) for event in decided)
        taken = losses(adopted, proposed) if proposed is not None else ()
        if await append_unless_stale(office, tried, (*appended, *taken), (), adopted):
            return changes.evolve(state, decided[0]).proposals[command.change]
    raise SojournError(Code.RECORD_STALE, stream=CHANGES)


async def _proposed(state: Changes, command: Command, attachment: Attachment | None) -> Catalogue | None:
    """What the proposal would put in force, read back from the record."""
    found = state.proposals.get(command.change)
    if found is None or attachment is None:
        return None
    return await read_catalogue(attachment, found.proposed.catalogue_sha256)


def _placed(event: Event, state: Changes, adopted: Adopted) -> Change:
    if isinstance(event, ConfigurationAdopted):
        return Change(stream=CONFIGURATION, event=event, seen=adopted.version)
    return Change(stream=CHANGES, event=event, seen=state.version)
