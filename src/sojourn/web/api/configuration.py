"""The configuration: what is or was in force, and changes that two people make."""

from __future__ import annotations

from datetime import UTC, datetime

from sojourn.configuration import (
    CATALOGUE_FILES,
    SETTINGS_FILE,
    compare_settings,
    parse_catalogue,
    parse_settings,
    rendered,
    settings_bytes,
)
from sojourn.domain import standing as standings
from sojourn.domain.change import Proposal, Status
from sojourn.domain.confirmation import Action
from sojourn.domain.events import ConfigurationAdopted, ConfigurationProposed
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import CHANGES, CONFIGURATION, STANDING, ChangeId
from sojourn.domain.people import Person
from sojourn.domain.policy.difference import compare
from sojourn.domain.standing import NOTHING_SAID, Standing
from sojourn.errors import Code, SojournError
from sojourn.projections.moments import text
from sojourn.web.exchange import PAGE, Exchange
from sojourn.workflow import change as changing
from sojourn.workflow.adopt import catalogue_bytes, read_catalogue, read_settings

from . import bodies
from . import configuration_shapes as shapes
from .confirming import confirmed, decided
from .viewing import opened

FILES_BYTES_MAX = 4 * 1024 * 1024


async def in_force(exchange: Exchange) -> shapes.ConfigurationShown:
    """GET /configuration?at=MOMENT: what is in force, or was at a moment; for administrators and auditors."""
    await _reader(exchange)
    moment = _moment(exchange.query("at"))
    recorded, event = await _adopted(exchange, moment)
    standing = await _standing(exchange, moment)
    catalogue = await read_catalogue(exchange.services.attachment, event.catalogue_sha256)
    settings = await read_settings(exchange.services.attachment, event.settings_sha256)
    return shapes.ConfigurationShown(
        version=recorded.version,
        digest=event.catalogue_sha256,
        adopted_at=text(recorded.at),
        operator=event.operator,
        change=event.change,
        proposed_by=event.proposed_by,
        approved_by=event.approved_by,
        catalogue=catalogue_bytes(catalogue).decode(),
        settings=settings_bytes(settings).decode(),
        settings_digest=event.settings_sha256,
        left=tuple(sorted(standing.left)),
        removed=tuple(
            shapes.EligibilityRemoved(person=one.person, target=one.target, role=one.role)
            for one in sorted(standing.removals, key=lambda one: (one.person, one.target, one.role))
        ),
        groups=tuple(
            shapes.GroupsClaimed(person=person, origin=origin, groups=tuple(sorted(groups)))
            for (person, origin), groups in sorted(standing.counted.items())
        ),
        blocked=tuple(
            shapes.TeamsBlocked(grant=one.grant, person=one.person, teams=one.teams) for one in standing.blocks
        ),
    )


async def files(exchange: Exchange) -> shapes.ConfigurationFiles:
    """GET /configuration/files?at=MOMENT: the files of it, as they were written; for administrators and auditors."""
    await _reader(exchange)
    recorded, event = await _adopted(exchange, _moment(exchange.query("at")))
    attachment = exchange.services.attachment
    settings = await read_settings(attachment, event.settings_sha256)
    texts = {SETTINGS_FILE: rendered(settings)} if event.settings_sha256 else {}
    texts |= {one.name: (await attachment(one.sha256)).decode("utf-8-sig") for one in event.files}
    return shapes.ConfigurationFiles(version=recorded.version, files=texts)


async def propose(exchange: Exchange) -> shapes.ChangeShown:
    """POST /configuration/changes: an administrator proposes other files in the place of those in force."""
    caller = await exchange.caller()
    sent = await exchange.body(bodies.ConfigurationChange, bytes_max=FILES_BYTES_MAX)
    unknown = sorted(set(sent.files) - {*CATALOGUE_FILES, SETTINGS_FILE})
    if unknown:
        expected = ", ".join((*CATALOGUE_FILES, SETTINGS_FILE))
        raise SojournError(Code.INPUT_INVALID, problem=f"{unknown[0][:40]!a} is no such file", expected=expected)
    contents = {name: content.encode("utf-8", "surrogatepass") for name, content in sent.files.items()}
    # Of the settings only what the record holds is kept: the rest of that file is a machine's own.
    settings = contents.pop(SETTINGS_FILE, None)
    proposal = exchange.settled(
        await changing.propose(
            exchange.services.office,
            person=caller.id,
            catalogue=parse_catalogue(contents),
            files=contents,
            reason=sent.reason,
            source=exchange.source,
            settings=None if settings is None else parse_settings(settings),
        )
    )
    return await _shown(exchange, caller, proposal.proposed.change)


async def listing(exchange: Exchange) -> shapes.Changes:
    """GET /configuration/changes: what was proposed, newest first; for administrators and auditors."""
    caller = await _reader(exchange)
    state = await changing.load_changes(exchange.services.office.ledger)
    before = exchange.before()
    older = list(state.proposals.values())[:before]
    first = max(0, len(older) - PAGE)
    times = await _times(exchange)
    return shapes.Changes(
        changes=tuple([await _show(exchange, caller, one, times) for one in reversed(older[first:])]),
        more=first > 0,
        next=first or None,
    )


async def one(exchange: Exchange) -> shapes.ChangeShown:
    """GET /configuration/changes/{name}: one change, and what it means for people."""
    return await _shown(exchange, await _reader(exchange), ChangeId(exchange.name))


async def approve(exchange: Exchange) -> shapes.ChangeShown:
    """POST /configuration/changes/{name}/approve: another administrator says yes; it is in force at once."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Decision)
    services, change = exchange.services, ChangeId(exchange.name)
    decision = decided(caller, Action.APPROVE_CHANGE, f"{CHANGES}/{change}", digest=sent.digest)
    confirmation = await confirmed(exchange, decision, sent)
    exchange.settled(
        await changing.approve_change(
            services.office,
            attachment=services.attachment,
            change=change,
            person=caller.id,
            digest=sent.digest,
            source=exchange.source,
            confirmation=confirmation,
        )
    )
    return await _shown(exchange, caller, change)


async def withdraw(exchange: Exchange) -> shapes.ChangeShown:
    """POST /configuration/changes/{name}/withdraw: its author, or another administrator, takes it back."""
    caller, change = await exchange.caller(), ChangeId(exchange.name)
    await exchange.body(bodies.Nothing)
    exchange.settled(
        await changing.withdraw_change(
            exchange.services.office, change=change, person=caller.id, source=exchange.source
        )
    )
    return await _shown(exchange, caller, change)


async def _reader(exchange: Exchange) -> Person:
    """The caller, who may read the whole configuration. Raises SojournError `permission.denied`."""
    caller = await exchange.caller()
    if not (caller.administrator or caller.auditor):
        raise SojournError(
            Code.PERMISSION_DENIED,
            person=caller.id,
            action="read the whole configuration",
            who="an administrator or an auditor",
        )
    return caller


def _moment(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given)
        if found.utcoffset() is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise SojournError(
        Code.INPUT_INVALID, problem="`at` is no moment with its offset", expected="one such as 2026-03-02T10:00:00Z"
    )


async def _adopted(exchange: Exchange, moment: datetime | None) -> tuple[Recorded, ConfigurationAdopted]:
    """The adoption that was in force at `moment` (None: now). Raises SojournError `input.invalid` before the first."""
    found: tuple[Recorded, ConfigurationAdopted] | None = None
    for recorded in await exchange.services.office.ledger.stream(CONFIGURATION):
        if isinstance(recorded.event, ConfigurationAdopted) and (moment is None or recorded.at <= moment):
            found = recorded, recorded.event
    if found is None:
        raise SojournError(Code.INPUT_INVALID, problem="Nothing was in force then", expected="a later moment")
    return found


async def _standing(exchange: Exchange, moment: datetime | None) -> Standing:
    state = NOTHING_SAID
    for recorded in await exchange.services.office.ledger.stream(STANDING):
        if moment is None or recorded.at <= moment:
            state = standings.evolve(state, recorded.event)
    return state


async def _times(exchange: Exchange) -> dict[str, str]:
    """When each change was proposed."""
    entries = await exchange.services.office.ledger.stream(CHANGES)
    return {one.event.change: text(one.at) for one in entries if isinstance(one.event, ConfigurationProposed)}


async def _shown(exchange: Exchange, caller: Person, change: ChangeId) -> shapes.ChangeShown:
    """One change with what it means for people. Raises SojournError `change.unknown`."""
    state = await changing.load_changes(exchange.services.office.ledger)
    found = state.proposals.get(change)
    if found is None:
        raise SojournError(Code.CHANGE_UNKNOWN, change=change[:100])
    return await _show(exchange, caller, found, await _times(exchange), differences=await _differences(exchange, found))


async def _differences(exchange: Exchange, proposal: Proposal) -> tuple[shapes.DifferenceShown, ...]:
    made, attachment = proposal.proposed, exchange.services.attachment
    entries = await exchange.services.office.ledger.stream(CONFIGURATION)
    base = entries[made.base - 1].event
    assert isinstance(base, ConfigurationAdopted), "a proposal names the version that it is to replace"
    groups = exchange.services.office.in_force().standing.counted
    before, after = [
        (await read_catalogue(attachment, sha256)).joined(groups)
        for sha256 in (base.catalogue_sha256, made.catalogue_sha256)
    ]
    settings = [await read_settings(attachment, sha256) for sha256 in (base.settings_sha256, made.settings_sha256)]
    return tuple(
        shapes.DifferenceShown(person=each.person, kind=each.kind, what=each.what, before=each.before, after=each.after)
        for each in (*compare_settings(settings[0], settings[1]), *compare(before, after))
    )


async def _show(
    exchange: Exchange,
    caller: Person,
    proposal: Proposal,
    times: dict[str, str],
    differences: tuple[shapes.DifferenceShown, ...] = (),
) -> shapes.ChangeShown:
    made = proposal.proposed
    current = exchange.services.office.in_force().version == made.base
    return shapes.ChangeShown(
        change=made.change,
        status=proposal.status,
        proposed_by=made.person,
        proposed_at=times[made.change],
        reason=await opened(exchange, made.reason.commitment),
        base=made.base,
        digest=made.digest,
        decided_by=proposal.decided_by,
        version=proposal.version,
        differences=differences,
        decidable=proposal.status is Status.PENDING and current and caller.administrator and caller.id != made.person,
    )
