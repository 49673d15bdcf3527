"""Adopt: an operator puts a configuration in force alone, at first and as long as there is no second administrator.

From here on decisions are made under it, and processes start with its settings. Later changes take two people
(`workflow.change`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

import msgspec

from sojourn.configuration import compare_settings, parse_held, settings_bytes
from sojourn.domain import standing as standings
from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.change import lets_in, may_adopt_alone
from sojourn.domain.events import ConfigurationAdopted, ConfigurationFile, EligibilityLost
from sojourn.domain.history import Change, Guard, Recorded
from sojourn.domain.identifiers import CONFIGURATION, STANDING
from sojourn.domain.reach import losing
from sojourn.domain.standing import NOTHING_SAID, Standing
from sojourn.errors import Code, SojournError
from sojourn.settings import Settings

from .deciding import TRIES_MAX, shown
from .ports import Ledger

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Catalogue)


class ConfigurationLedger(Ledger, Protocol):
    """A ledger that also gives back what was attached to an append."""

    async def attachment(self, sha256: str) -> bytes:
        """The attachment with that SHA-256 (hex)."""
        ...


def catalogue_bytes(catalogue: Catalogue) -> bytes:
    """The catalogue as canonical JSON: what its digest covers, and what is attached to its adoption."""
    return _encoder.encode(catalogue)


async def adopt(
    ledger: ConfigurationLedger,
    *,
    catalogue: Catalogue,
    files: Mapping[str, bytes],
    operator: str,
    settings: Settings | None = None,
) -> Adopted:
    """Put the catalogue and the settings in force by the operator's word alone, unless just that is in force already.

    `files` maps each file's name to its bytes; catalogue, files and the settings that the record holds are kept as
    attachments, so that anybody can see later what was in force. `settings` None leaves those in force. Raises
    SojournError `change.needs_approval` where two administrators are in force (a change then takes two people, see
    `domain.change`), what the ledger raises, `record.stale` after too many tries.
    """
    body, held = catalogue_bytes(catalogue), settings_bytes(settings) if settings is not None else b""
    event = ConfigurationAdopted(
        catalogue_sha256=hashlib.sha256(body).hexdigest(),
        files=tuple(
            ConfigurationFile(name=name, sha256=hashlib.sha256(text).hexdigest())
            for name, text in sorted(files.items())
        ),
        operator=shown(operator),
        settings_sha256=hashlib.sha256(held).hexdigest() if held else "",
    )
    attached = (body, *(text for _, text in sorted(files.items())), *((held,) if held else ()))
    return await _put(ledger, event, catalogue, settings, attached)


async def adopt_settings(ledger: ConfigurationLedger, *, settings: Settings, operator: str) -> Adopted:
    """Put the settings alone in force, beside the catalogue that is: for a start whose files have a fault.

    Something has to be in force. Raises as `adopt` does.
    """
    last = _last(await ledger.stream(CONFIGURATION))
    assert last is not None, "a catalogue is in force"
    held = settings_bytes(settings)
    event = ConfigurationAdopted(
        catalogue_sha256=last[1].catalogue_sha256,
        files=last[1].files,
        operator=shown(operator),
        settings_sha256=hashlib.sha256(held).hexdigest(),
    )
    return await _put(ledger, event, await read_catalogue(ledger.attachment, event.catalogue_sha256), settings, (held,))


async def _put(
    ledger: ConfigurationLedger,
    event: ConfigurationAdopted,
    catalogue: Catalogue,
    settings: Settings | None,
    attached: tuple[bytes, ...],
) -> Adopted:
    """Put `event` on record, or as much of it as an operator may, until all of it is in force. Raises as `adopt`."""
    for _ in range(TRIES_MAX):
        entries = await ledger.stream(CONFIGURATION)
        last = _last(entries)
        if last is None:
            _refuse_strangers(None, catalogue)
        following = event if last is None else await _following(ledger, last, event, catalogue, settings)
        if isinstance(following, Adopted):
            return following
        change = Change(stream=CONFIGURATION, event=following, seen=len(entries))
        standing = await load_standing(ledger)
        taken: tuple[Change, ...] = ()
        if last is not None and last[1].catalogue_sha256 != following.catalogue_sha256:
            before = await read_adopted(ledger.attachment, last[1], len(entries))
            taken = losses(before.under(standing), catalogue)
        try:
            guards = (Guard(stream=STANDING, seen=standing.version),)
            await ledger.append((change, *taken), guards=guards, attachments=attached)
        except SojournError as error:
            if error.code is not Code.RECORD_STALE:
                raise
            continue
        if following.catalogue_sha256 == event.catalogue_sha256:
            return _adopted(catalogue, following, len(entries) + 1)
    raise SojournError(Code.RECORD_STALE, stream=CONFIGURATION)


def losses(before: Adopted, catalogue: Catalogue) -> tuple[Change, ...]:
    """What people lose when `catalogue` follows `before`: to be recorded in the append that puts it in force."""
    after = replace(before, catalogue=catalogue).under(before.standing)
    return tuple(
        Change(
            stream=STANDING,
            event=EligibilityLost(person=person, configuration_version=before.version + 1),
            seen=before.standing.version + place,
        )
        for place, person in enumerate(losing(before, after))
    )


async def _following(
    ledger: ConfigurationLedger,
    last: tuple[Recorded, ConfigurationAdopted],
    event: ConfigurationAdopted,
    catalogue: Catalogue,
    settings: Settings | None,
) -> ConfigurationAdopted | Adopted:
    """What is to be put on record after the last adoption, or what is in force if that is nothing.

    Raises SojournError `change.needs_approval` or `change.lets_in`.
    """
    recorded, before = last
    in_force = await read_catalogue(ledger.attachment, before.catalogue_sha256)
    same_settings = await _same_settings(ledger.attachment, before, settings)
    if same_settings:
        # An earlier release may have written the same in other bytes.
        event = replace(event, settings_sha256=before.settings_sha256)
    alone = may_adopt_alone(in_force.without((await load_standing(ledger)).left))
    same_files = in_force == catalogue and (not alone or before.files == event.files)
    if same_settings and same_files:
        return _adopted(catalogue, before, recorded.version)
    if alone:
        _refuse_strangers(in_force, catalogue)
        return event
    if not before.settings_sha256 and not same_settings:
        # Nobody has put any settings in force so far, so an operator says which there are, once, and nothing else.
        return replace(event, catalogue_sha256=before.catalogue_sha256, files=before.files)
    raise SojournError(Code.CHANGE_NEEDS_APPROVAL, version=str(recorded.version))


def _refuse_strangers(in_force: Catalogue | None, catalogue: Catalogue) -> None:
    """An operator alone lets nobody audit from outside, and no administrator. Raises SojournError `change.lets_in`."""
    person = lets_in(in_force, catalogue)
    if person:
        raise SojournError(Code.CHANGE_LETS_IN, person=person)


def _adopted(catalogue: Catalogue, event: ConfigurationAdopted, version: int) -> Adopted:
    return Adopted(
        catalogue=catalogue, version=version, digest=event.catalogue_sha256, settings_sha256=event.settings_sha256
    )


async def _same_settings(
    attachment: Callable[[str], Awaitable[bytes]], before: ConfigurationAdopted, settings: Settings | None
) -> bool:
    if settings is None:
        return True
    if not before.settings_sha256:
        return False
    return not compare_settings(await read_settings(attachment, before.settings_sha256), settings)


async def load_adopted(ledger: ConfigurationLedger) -> Adopted | None:
    """The catalogue in force by the record, or None before the first adoption.

    Raises SojournError `record.damaged` if the attachment is not what the entry says, else the ledger's.
    """
    last = _last(await ledger.stream(CONFIGURATION))
    if last is None:
        return None
    recorded, event = last
    return await read_adopted(ledger.attachment, event, recorded.version)


async def read_adopted(
    attachment: Callable[[str], Awaitable[bytes]], event: ConfigurationAdopted, version: int
) -> Adopted:
    """The catalogue that an adoption put in force; `version` is that of its entry in the configuration stream.

    Raises SojournError `record.damaged` if the attachment is not what the entry says, else the ledger's.
    """
    return _adopted(await read_catalogue(attachment, event.catalogue_sha256), event, version)


async def read_catalogue(attachment: Callable[[str], Awaitable[bytes]], sha256: str) -> Catalogue:
    """The catalogue that is kept under this hash. Raises as `read_adopted` does."""
    return parsed("catalogue", parse_catalogue, await attachment(sha256), sha256)


def parse_catalogue(content: bytes) -> Catalogue:
    """The catalogue that `catalogue_bytes` wrote. Raises msgspec.MsgspecError."""
    return _decoder.decode(content)


async def read_settings(attachment: Callable[[str], Awaitable[bytes]], sha256: str) -> Settings:
    """The settings that are kept under this hash; defaults for "", before any were put in force.

    Raises as `read_adopted` does.
    """
    return parsed("settings", parse_held, await attachment(sha256), sha256) if sha256 else Settings()


def parsed(what: str, parse: Callable[[bytes], T], body: bytes, sha256: str) -> T:
    """What an attachment holds. Raises SojournError `record.damaged` unless it is what was named, and can be read."""
    if hashlib.sha256(body).hexdigest() != sha256:
        raise SojournError(Code.RECORD_DAMAGED, problem=f"the {what} is not the one on record", path="ledger.db")
    try:
        return parse(body)
    except (ValueError, msgspec.MsgspecError) as error:
        raise SojournError(Code.RECORD_DAMAGED, problem=f"{what}: {error}", path="ledger.db") from error


async def load_standing(ledger: Ledger) -> Standing:
    """The standing of everybody as its stream tells it now. Raises SojournError from the ledger."""
    state = NOTHING_SAID
    for recorded in await ledger.stream(STANDING):
        state = standings.evolve(state, recorded.event)
    return state


def _last(entries: tuple[Recorded, ...]) -> tuple[Recorded, ConfigurationAdopted] | None:
    for recorded in reversed(entries):
        if isinstance(recorded.event, ConfigurationAdopted):
            return recorded, recorded.event
    return None
