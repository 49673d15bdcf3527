"""What the scribe and its clients say to each other on the local socket.

A frame is a big-endian uint32 length and that many bytes of msgpack: one message as an array whose first item is
its tag. Every call carries an `id` chosen by the client, and exactly one answer carries it back. Appends that are
in flight together may share one fsync; answers to appends come in the order of the appends.

Every list and number is bounded here, by its type, so that no call can ask for more than the scribe can do. Bytes
that are no call are answered once, with `Refused` under id 0, and the connection is closed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Annotated, cast, get_args

import msgspec
from msgspec import Meta

FRAME_BYTES_MAX = 80 * 1024 * 1024
"""Bound on one frame; the largest lawful one carries a sealed statement of 64 MiB."""

PAGE_ENTRIES_MAX = 2000
PAGE_BYTES_MAX = 4 * 1024 * 1024
HEADER_BYTES = 4
CIPHERTEXT_BYTES_MAX = 70 * 1024 * 1024
DRAFTS_MAX = 5000
GUARDS_MAX = 1000
PREFIXES_MAX = 16
PROOFS_MAX = 256
"""Proofs that one call asks for: those of one tile, for the scribe answers a call in one go."""

NO_CALL = 0
"""The id that an answer carries when what arrived was no call. Clients number their calls from 1."""

Place = Annotated[int, Meta(ge=0, lt=2**53)]
"""A place in the ledger, a version or a size."""

Stream = Annotated[str, Meta(max_length=256)]
Name = Annotated[str, Meta(max_length=256)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Commitment = Annotated[str, Meta(min_length=64, max_length=64)]
"""A SHA-256 too. That its digits are some is asked of many at once, when they are to be written (`all_hex`)."""


class Draft(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One entry to be written: `body` is canonical JSON; `seen` is the stream's version, or None for any."""

    stream: Stream
    kind: Name
    body: bytes
    seen: Place | None


class Matter(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A sealed value that goes beside the ledger."""

    commitment: Commitment
    key: Name
    ciphertext: Annotated[bytes, Meta(max_length=CIPHERTEXT_BYTES_MAX)]


class Key(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A wrapped sealing key."""

    key: Name
    subject: Name
    recipient: Name
    wrapped: Annotated[bytes, Meta(max_length=2048)]


class Append(msgspec.Struct, array_like=True, frozen=True, gc=False, tag="append"):
    """Write all of this or none of it."""

    id: int
    drafts: Annotated[list[Draft], Meta(min_length=1, max_length=DRAFTS_MAX)]
    guards: Annotated[list[tuple[Stream, Place]], Meta(max_length=GUARDS_MAX)] = []
    matter: Annotated[list[Matter], Meta(max_length=DRAFTS_MAX)] = []
    keys: Annotated[list[Key], Meta(max_length=DRAFTS_MAX)] = []
    attachments: Annotated[list[bytes], Meta(max_length=GUARDS_MAX)] = []


class ReadStream(msgspec.Struct, array_like=True, frozen=True, tag="stream"):
    """The entries of one stream with a version above `after`, a page at most."""

    id: int
    stream: Stream
    after: Place


class Read(msgspec.Struct, array_like=True, frozen=True, tag="read"):
    """Entries from `start` on whose stream begins with one of `prefixes` (all, if empty).

    An answer may hold no entry and still say `more`: that much was looked at for now. With `wait`, the answer comes
    when there is at least one entry, or empty after a while, so that neither side waits for a peer that is gone.
    """

    id: int
    start: Place
    limit: Place
    prefixes: Annotated[list[Stream], Meta(max_length=PREFIXES_MAX)]
    wait: bool


class Fetch(msgspec.Struct, array_like=True, frozen=True, tag="fetch"):
    """The entries with these places, in this order; a page at most."""

    id: int
    seqs: Annotated[list[Place], Meta(max_length=PAGE_ENTRIES_MAX)]


class ReadMatter(msgspec.Struct, array_like=True, frozen=True, tag="matter"):
    """Sealed values by commitment; those that are not there are left out. A page at most."""

    id: int
    commitments: Annotated[list[Sha256], Meta(max_length=PAGE_ENTRIES_MAX)]


class ReadKeys(msgspec.Struct, array_like=True, frozen=True, tag="keys"):
    """Sealing keys above `after`, by id, whose subject begins with `subject` (all, if empty); a page at most."""

    id: int
    subject: Name
    after: Name


class ReadAttachment(msgspec.Struct, array_like=True, frozen=True, tag="attachment"):
    """One attachment by its SHA-256 (hex)."""

    id: int
    sha256: Sha256


class ReadHead(msgspec.Struct, array_like=True, frozen=True, tag="head"):
    """Size and root of the tree."""

    id: int


class Sign(msgspec.Struct, array_like=True, frozen=True, tag="sign"):
    """A signed checkpoint that covers everything written so far."""

    id: int


class Prove(msgspec.Struct, array_like=True, frozen=True, tag="prove"):
    """Inclusion proofs of these entries in the tree of `size` entries. Those of one tile cost little more than one."""

    id: int
    seqs: Annotated[list[Place], Meta(min_length=1, max_length=PROOFS_MAX)]
    size: Place


class ProveConsistency(msgspec.Struct, array_like=True, frozen=True, tag="consistency"):
    """Proof that the tree of `new` entries extends the tree of `old` entries."""

    id: int
    old: Place
    new: Place


Call = (
    Append
    | ReadStream
    | Read
    | Fetch
    | ReadMatter
    | ReadKeys
    | ReadAttachment
    | ReadHead
    | Sign
    | Prove
    | ProveConsistency
)


class Appended(msgspec.Struct, array_like=True, frozen=True, gc=False, tag="appended"):
    """It is durable. `at` is the time in the entries (RFC 3339)."""

    id: int
    first: int
    size: int
    at: str


class AppendedTogether(msgspec.Struct, array_like=True, frozen=True, gc=False, tag="together"):
    """Several appends that one client had in flight together are durable: their answers in one frame, in order."""

    answers: list[Appended]


class Refused(msgspec.Struct, array_like=True, frozen=True, tag="refused"):
    """It was not done; `code` is a `sojourn.codes.Code`."""

    id: int
    code: str
    details: dict[str, str]


class Entries(msgspec.Struct, array_like=True, frozen=True, tag="entries"):
    """Raw entries. `following` is where to go on; `more` if the answer was cut.

    It is a place for `Read`, a version for `ReadStream`, and for `Fetch` how many of the asked places were looked at.
    """

    id: int
    entries: list[bytes]
    following: int
    more: bool


class Matters(msgspec.Struct, array_like=True, frozen=True, tag="matters"):
    """Sealed values with their keys. `following` is how many of the asked commitments were looked at."""

    id: int
    found: list[tuple[Matter, Key]]
    following: int


class Keys(msgspec.Struct, array_like=True, frozen=True, tag="listed"):
    """Sealing keys without their secret: (key, subject, recipient, whether destroyed). `more` if it was cut."""

    id: int
    found: list[tuple[str, str, str, bool]]
    more: bool


class Blob(msgspec.Struct, array_like=True, frozen=True, tag="blob"):
    """An attachment, or None."""

    id: int
    content: bytes | None


class Head(msgspec.Struct, array_like=True, frozen=True, tag="heading"):
    """Size and root of the tree."""

    id: int
    size: int
    root: bytes


class Note(msgspec.Struct, array_like=True, frozen=True, tag="note"):
    """A signed checkpoint (C2SP signed-note)."""

    id: int
    text: str


class Hashes(msgspec.Struct, array_like=True, frozen=True, tag="hashes"):
    """A proof."""

    id: int
    hashes: list[bytes]


class Proofs(msgspec.Struct, array_like=True, frozen=True, tag="proofs"):
    """A proof for each place that was asked about, in the same order."""

    id: int
    proofs: list[list[bytes]]


Single = Appended | Refused | Entries | Matters | Keys | Blob | Head | Note | Hashes | Proofs
"""What answers one call."""

Answer = Single | AppendedTogether

_TAGS = frozenset(str(call.__struct_config__.tag) for call in get_args(Call))
_encoder = msgspec.msgpack.Encoder()
_length = struct.Struct(">I").unpack_from

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""All that a decoder raises for bytes that are no message: wrong form, text that is not UTF-8, nesting too deep."""

call_decoder: msgspec.msgpack.Decoder[Call] = msgspec.msgpack.Decoder(Call)
answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def frame(message: Call | Answer) -> bytes:
    """The bytes of one frame."""
    payload = _encoder.encode(message)
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


def frames(messages: Iterable[Call | Answer]) -> bytes:
    """The bytes of several frames, in order."""
    payloads = map(_encoder.encode, messages)
    return b"".join([part for payload in payloads for part in (len(payload).to_bytes(HEADER_BYTES, "big"), payload)])


def all_hex(texts: Iterable[str]) -> bool:
    """Whether there is nothing but lowercase hexadecimal digits in all of them together."""
    joined = "".join(texts)
    try:
        return bytes.fromhex(joined).hex() == joined
    except ValueError:
        return False


def together(answers: Sequence[Appended | Refused]) -> list[Answer]:
    """The same answers in the same order, those of appends that follow one another in one message."""
    if len(answers) == 1:
        return [*answers]
    found: list[Answer] = []
    for kind, run in groupby(answers, type):
        if kind is Appended:
            found.append(AppendedTogether(cast("list[Appended]", list(run))))
        else:
            found.extend(run)
    return found


def call_id_of(payload: bytes) -> int | None:
    """The id of something that has the form of a call, though it is none: a bound is broken. None for all else."""
    try:
        parts = msgspec.msgpack.decode(payload, type=list[msgspec.Raw])
        tag = msgspec.msgpack.decode(parts[0], type=str)
        call_id = msgspec.msgpack.decode(parts[1], type=int)
    except (*UNREADABLE, IndexError):
        return None
    return call_id if tag in _TAGS and 0 < call_id < 2**63 else None


class FrameError(ValueError):
    """What arrived is no frame."""


def take_frames(buffer: bytearray) -> list[bytes]:
    """Remove all complete frames from the front of `buffer` and return their payloads.

    Raises FrameError when a length is over the bound.
    """
    payloads: list[bytes] = []
    position, end = 0, len(buffer)
    with memoryview(buffer) as view:
        while end - position >= HEADER_BYTES:
            (length,) = _length(buffer, position)
            start, following = position + HEADER_BYTES, position + HEADER_BYTES + length
            if length > FRAME_BYTES_MAX:
                raise FrameError(f"a frame of {length} bytes")
            if following > end:
                break
            payloads.append(view[start:following].tobytes())
            position = following
    if position:
        del buffer[:position]
    return payloads
