"""Adopt: an operator puts a configuration in force alone, at first and as long as there is no second administrator.

From here on decisions are made under it. Later changes take two people (`workflow.change`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from sojourn.domain import standing as standings
from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.change import may_adopt_alone
from sojourn.domain.events import ConfigurationAdopted, ConfigurationFile
from sojourn.domain.history import Change, Recorded
from sojourn.domain.identifiers import CONFIGURATION, STANDING
from sojourn.domain.standing import NOTHING_SAID, Standing
from sojourn.errors import Code, SojournError

from .deciding import TRIES_MAX, shown
from .ports import Ledger

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
    ledger: ConfigurationLedger, *, catalogue: Catalogue, files: Mapping[str, bytes], operator: str
) -> Adopted:
    """Put the catalogue in force by the operator's word alone, unless just that is in force already.

    `files` maps each file's name to its bytes; catalogue and files are kept as attachments, so that anybody can
    see later what was in force. Raises SojournError `change.needs_approval` where two administrators are in force (a
    change then takes two people, see `domain.change`), what the ledger raises, `record.stale` after too many tries.
    """
    body = catalogue_bytes(catalogue)
    event = ConfigurationAdopted(
        catalogue_sha256=hashlib.sha256(body).hexdigest(),
        files=tuple(
            ConfigurationFile(name=name, sha256=hashlib.sha256(text).hexdigest())
            for name, text in sorted(files.items())
        ),
        operator=shown(operator),
    )
    for _ in range(TRIES_MAX):
        entries = await ledger.stream(CONFIGURATION)
        last = _last(entries)
        if last is not None:
            recorded, adopted = last
            if (adopted.catalogue_sha256, adopted.files) == (event.catalogue_sha256, event.files):
                return Adopted(catalogue=catalogue, version=recorded.version, digest=event.catalogue_sha256)
            in_force = await read_catalogue(ledger.attachment, adopted.catalogue_sha256)
            alone = may_adopt_alone(in_force.without((await load_standing(ledger)).left))
            if in_force == catalogue and (not alone or adopted.files == event.files):
                # An earlier release may have written the same in other bytes.
                return Adopted(catalogue=catalogue, version=recorded.version, digest=adopted.catalogue_sha256)
            if not alone:
                raise SojournError(Code.CHANGE_NEEDS_APPROVAL, version=str(recorded.version))
        try:
            await ledger.append(
                (Change(stream=CONFIGURATION, event=event, seen=len(entries)),),
                attachments=(body, *(text for _, text in sorted(files.items()))),
            )
        except SojournError as error:
            if error.code is not Code.RECORD_STALE:
                raise
            continue
        return Adopted(catalogue=catalogue, version=len(entries) + 1, digest=event.catalogue_sha256)
    raise SojournError(Code.RECORD_STALE, stream=CONFIGURATION)


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
    catalogue = await read_catalogue(attachment, event.catalogue_sha256)
    return Adopted(catalogue=catalogue, version=version, digest=event.catalogue_sha256)


async def read_catalogue(attachment: Callable[[str], Awaitable[bytes]], sha256: str) -> Catalogue:
    """The catalogue that is kept under this hash. Raises as `read_adopted` does."""
    body = await attachment(sha256)
    if hashlib.sha256(body).hexdigest() != sha256:
        raise SojournError(Code.RECORD_DAMAGED, problem="a catalogue is not the one on record", path="ledger.db")
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise SojournError(Code.RECORD_DAMAGED, problem=f"catalogue: {error}", path="ledger.db") from error


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
