"""Adopt: a configuration comes into force. From here on decisions are made under it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

import msgspec

from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.events import ConfigurationAdopted, ConfigurationFile
from sojourn.domain.history import Change, Recorded
from sojourn.domain.identifiers import CONFIGURATION
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
    """Put the catalogue in force, with the files it was read from, unless just that is in force already.

    `files` maps each file's name to its bytes; catalogue and files are kept as attachments, so that anybody can
    see later what was in force. Raises SojournError from the ledger, `record.stale` after too many tries.
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
    body = await ledger.attachment(event.catalogue_sha256)
    if hashlib.sha256(body).hexdigest() != event.catalogue_sha256:
        raise SojournError(
            Code.RECORD_DAMAGED, problem="the catalogue in force is not the one on record", path="ledger.db"
        )
    try:
        catalogue = _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise SojournError(Code.RECORD_DAMAGED, problem=f"catalogue: {error}", path="ledger.db") from error
    return Adopted(catalogue=catalogue, version=recorded.version, digest=event.catalogue_sha256)


def _last(entries: tuple[Recorded, ...]) -> tuple[Recorded, ConfigurationAdopted] | None:
    for recorded in reversed(entries):
        if isinstance(recorded.event, ConfigurationAdopted):
            return recorded, recorded.event
    return None
