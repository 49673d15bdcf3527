"""Gathers everything on record about one access: raw entries, proofs, opened values, attachments.

- The streams of the request, of the grant, of its exceptions, of each of its sessions, of the requests that extended it
  and of its review come whole, from their first entry.
- Absences in which somebody decided for another, its use of break-glass, and the facts that its requests rested on come
  one by one.
- Refused attempts about them come one by one; so does each configuration under which something was decided.
- For what was shredded the tombstone comes along, so that a reader sees why it does not open.
- What is sealed to the gateway (credentials) is never opened for evidence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sojourn.domain.events import (
    ConfigurationAdopted,
    Event,
    GrantCreated,
    PasskeyAdded,
    RequestActivated,
    RequestApproved,
    RequestDenied,
    RequestRevised,
    RequestSubmitted,
)
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import (
    CONFIGURATION,
    LEDGER,
    GrantId,
    RequestId,
    SessionId,
    StreamName,
    exception_stream,
    grant_stream,
    request_stream,
    session_stream,
)
from sojourn.domain.publication import statements
from sojourn.domain.sealed import SealedMatter, SealingKey
from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.projections.sealing import sealed_in

from .circumstances import entries_besides, streams_besides

RECIPIENT = "evidence"


class EvidenceLedger(Protocol):
    """What is read of the record. Implemented by `scribe.client.ScribeClient`."""

    async def raw_stream(self, stream: StreamName) -> tuple[bytes, ...]:
        """The bytes of every entry of a stream."""
        ...

    async def raw(self, places: Sequence[int]) -> tuple[bytes, ...]:
        """The bytes of the entries at these places."""
        ...

    async def matter(self, commitments: Sequence[str]) -> tuple[tuple[SealedMatter, SealingKey], ...]:
        """Sealed values with their keys."""
        ...

    async def attachment(self, sha256: str) -> bytes:
        """An attachment."""
        ...

    async def sign(self) -> str:
        """A signed checkpoint over everything."""
        ...

    async def prove(self, seqs: Sequence[int], size: int) -> tuple[tuple[bytes, ...], ...]:
        """An inclusion proof for each."""
        ...


class OpenedValue(Protocol):
    """A value with the salt that it was committed to with."""

    @property
    def value(self) -> bytes:
        """The value."""
        ...

    @property
    def salt(self) -> bytes:
        """The salt."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """A sealed value, opened."""

    commitment: str
    salt: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything about one access event, as of `as_of`, the time of the newest entry under the checkpoint.

    `grant` is None for a request that never became an access.

    `raw` and `proofs` are by place; `checkpoint` is the one all proofs lead to, `rotations` the changes of the
    key that signed it.
    """

    request: RequestId
    grant: GrantId | None
    as_of: datetime
    entries: tuple[Recorded, ...]
    raw: Mapping[int, bytes]
    proofs: Mapping[int, tuple[bytes, ...]]
    checkpoint: str
    rotations: str
    disclosed: Mapping[str, Disclosed]
    attachments: Mapping[str, bytes]
    build: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the material comes from.

    `sessions(grant)` and `attempts(subjects)` come from the read models: which sessions there were, and at which
    places refused attempts are on record, as `tombstones(keys)` does for destroyed sealing keys. `read_entry` decodes
    an entry; `open_sealed` opens for the recipient `evidence`. `cosigned` gives the newest checkpoint of this ledger
    that the quorum of witnesses has cosigned, "" if there is none. `build` is the version of Sojourn that tells it.
    """

    ledger: EvidenceLedger
    read_entry: Callable[[bytes], Recorded]
    open_sealed: Callable[[SealedMatter, SealingKey], OpenedValue]
    sessions: Callable[[GrantId], Awaitable[Sequence[SessionId]]]
    attempts: Callable[[Sequence[str]], Awaitable[Sequence[int]]]
    tombstones: Callable[[Sequence[str]], Awaitable[Sequence[int]]]
    cosigned: Callable[[], str]
    build: str


async def gather(sources: Sources, name: str) -> Material:
    """All material about the access event of a grant or a request.

    Raises SojournError `grant.unknown` or `request.unknown`, or the ledger's.
    """
    ledger = sources.ledger
    request, grant, own = await _named(sources, name)
    streams = [request_stream(request), exception_stream(request)]
    if grant is not None:
        streams += [grant_stream(grant), *streams_besides(own, grant)]
        streams += [session_stream(session) for session in sorted(await sources.sessions(grant))]
    raw = [entry for stream in streams for entry in await ledger.raw_stream(stream)]
    raw += await ledger.raw(sorted(await sources.attempts(streams)))
    entries = {recorded.seq: (recorded, data) for data in raw for recorded in (sources.read_entry(data),)}
    for data in await entries_besides(ledger, sources.read_entry, [one for one, _ in entries.values()], grant):
        recorded = sources.read_entry(data)
        entries[recorded.seq] = (recorded, data)
    decided_under = {version for one, _ in entries.values() for version in _configuration_version(one.event)}
    named = {sealed.key for recorded, _ in entries.values() for sealed in sealed_in(recorded.event)}
    for data in await ledger.raw(sorted(await sources.tombstones(sorted(named)))):
        recorded = sources.read_entry(data)
        entries[recorded.seq] = (recorded, data)
    for data in await ledger.raw_stream(CONFIGURATION) if decided_under else ():
        recorded = sources.read_entry(data)
        if recorded.version in decided_under:
            entries[recorded.seq] = (recorded, data)
    note, size = await over(ledger, max(entries), sources.cosigned())
    (newest,) = await ledger.raw((size - 1,))
    ordered = tuple(entries[seq][0] for seq in sorted(entries))
    return Material(
        request=request,
        grant=grant,
        as_of=sources.read_entry(newest).at,
        entries=ordered,
        raw={seq: data for seq, (_, data) in sorted(entries.items())},
        proofs=dict(zip(sorted(entries), await ledger.prove(sorted(entries), size), strict=True)),
        checkpoint=note,
        rotations=await rotations(ledger, sources.read_entry),
        disclosed=await _disclose(sources, ordered),
        attachments=await _attachments(ledger, ordered),
        build=sources.build,
    )


async def _named(sources: Sources, name: str) -> tuple[RequestId, GrantId | None, list[Recorded]]:
    """The request and the grant of the access event that is meant, and the entries of the grant."""
    ledger, grant = sources.ledger, GrantId(name)
    own = [sources.read_entry(data) for data in await ledger.raw_stream(grant_stream(grant))]
    if own:
        created = own[0].event
        assert isinstance(created, GrantCreated), "a grant's stream begins with its creation"
        return created.request, grant, own
    if not name.startswith("r-"):
        raise SojournError(Code.GRANT_UNKNOWN, grant=name)
    request = RequestId(name)
    told = [sources.read_entry(data).event for data in await ledger.raw_stream(request_stream(request))]
    if not told:
        raise SojournError(Code.REQUEST_UNKNOWN, request=name)
    given = next((one.grant for one in told if isinstance(one, RequestActivated)), None)
    return (request, None, []) if given is None else await _named(sources, given)


def _configuration_version(event: Event) -> Iterator[int]:
    """The version of the configuration that a decision was made under."""
    if isinstance(event, RequestSubmitted | RequestApproved | RequestDenied | GrantCreated):
        yield event.configuration_version
    elif isinstance(event, RequestRevised):
        yield event.content.configuration_version


async def over(ledger: EvidenceLedger, last: int, cosigned: str) -> tuple[str, int]:
    """The checkpoint that proofs of entries up to place `last` lead to, and its size.

    The one that witnesses have cosigned, if it is over all of them; else the newest.
    """
    for note in filter(None, (cosigned, await ledger.sign())):
        size = checkpoints.parse(notes.split(note)[0]).size
        if size > last:
            break
    return note, size


async def rotations(ledger: EvidenceLedger, read_entry: Callable[[bytes], Recorded]) -> str:
    """The changes of the ledger's key, as the file `rotations` of a pack has them."""
    return statements(read_entry(data).event for data in await ledger.raw_stream(LEDGER))


async def _disclose(sources: Sources, entries: Sequence[Recorded]) -> dict[str, Disclosed]:
    # What somebody calls their passkey is no evidence.
    told = [recorded.event for recorded in entries if not isinstance(recorded.event, PasskeyAdded)]
    commitments = [sealed.commitment for event in told for sealed in sealed_in(event)]
    disclosed: dict[str, Disclosed] = {}
    for matter, key in await sources.ledger.matter(commitments):
        if key.recipient == RECIPIENT:
            opened = sources.open_sealed(matter, key)
            disclosed[matter.commitment] = Disclosed(commitment=matter.commitment, salt=opened.salt, value=opened.value)
    return disclosed


async def _attachments(ledger: EvidenceLedger, entries: Sequence[Recorded]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for recorded in entries:
        if isinstance(recorded.event, ConfigurationAdopted):
            files = (file.sha256 for file in recorded.event.files)
            for sha256 in (recorded.event.catalogue_sha256, recorded.event.settings_sha256, *files):
                if sha256 and sha256 not in found:
                    found[sha256] = await ledger.attachment(sha256)
    return found
