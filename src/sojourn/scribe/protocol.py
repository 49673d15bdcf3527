"""What the scribe and its clients say to each other on the local socket.

A frame is a big-endian uint32 length and that many bytes of msgpack: one message as an array whose first item is
its tag. Every call carries an `id` chosen by the client, and exactly one answer carries it back. Appends that are
in flight together may share one fsync; answers to appends come in the order of the appends.
"""

from __future__ import annotations

import msgspec

FRAME_BYTES_MAX = 80 * 1024 * 1024
"""Bound on one frame; the largest lawful one carries a sealed statement of 64 MiB."""

PAGE_ENTRIES_MAX = 2000
PAGE_BYTES_MAX = 4 * 1024 * 1024
HEADER_BYTES = 4


class Draft(msgspec.Struct, array_like=True, frozen=True):
    """One entry to be written: `body` is canonical JSON; `seen` is the stream's version, or None for any."""

    stream: str
    kind: str
    body: bytes
    seen: int | None


class Matter(msgspec.Struct, array_like=True, frozen=True):
    """A sealed value that goes beside the ledger."""

    commitment: str
    key: str
    ciphertext: bytes


class Key(msgspec.Struct, array_like=True, frozen=True):
    """A wrapped sealing key."""

    key: str
    subject: str
    recipient: str
    wrapped: bytes


class Append(msgspec.Struct, array_like=True, frozen=True, tag="append"):
    """Write all of this or none of it."""

    id: int
    drafts: list[Draft]
    guards: list[tuple[str, int]] = []
    matter: list[Matter] = []
    keys: list[Key] = []
    attachments: list[bytes] = []


class ReadStream(msgspec.Struct, array_like=True, frozen=True, tag="stream"):
    """The entries of one stream with a version above `after`, a page at most."""

    id: int
    stream: str
    after: int


class Read(msgspec.Struct, array_like=True, frozen=True, tag="read"):
    """Entries from `start` on whose stream begins with one of `prefixes` (all, if empty).

    With `wait`, the answer comes only when there is at least one.
    """

    id: int
    start: int
    limit: int
    prefixes: list[str]
    wait: bool


class Fetch(msgspec.Struct, array_like=True, frozen=True, tag="fetch"):
    """The entries with these places."""

    id: int
    seqs: list[int]


class ReadMatter(msgspec.Struct, array_like=True, frozen=True, tag="matter"):
    """Sealed values by commitment; those that are not there are left out."""

    id: int
    commitments: list[str]


class ReadAttachment(msgspec.Struct, array_like=True, frozen=True, tag="attachment"):
    """One attachment by its SHA-256 (hex)."""

    id: int
    sha256: str


class ReadHead(msgspec.Struct, array_like=True, frozen=True, tag="head"):
    """Size and root of the tree."""

    id: int


class Sign(msgspec.Struct, array_like=True, frozen=True, tag="sign"):
    """A signed checkpoint that covers everything written so far."""

    id: int


class Prove(msgspec.Struct, array_like=True, frozen=True, tag="prove"):
    """Inclusion proof of entry `seq` in the tree of `size` entries."""

    id: int
    seq: int
    size: int


class ProveConsistency(msgspec.Struct, array_like=True, frozen=True, tag="consistency"):
    """Proof that the tree of `new` entries extends the tree of `old` entries."""

    id: int
    old: int
    new: int


Call = Append | ReadStream | Read | Fetch | ReadMatter | ReadAttachment | ReadHead | Sign | Prove | ProveConsistency


class Appended(msgspec.Struct, array_like=True, frozen=True, tag="appended"):
    """It is durable. `at` is the time in the entries (RFC 3339)."""

    id: int
    first: int
    size: int
    at: str


class Refused(msgspec.Struct, array_like=True, frozen=True, tag="refused"):
    """It was not done; `code` is a `sojourn.codes.Code`."""

    id: int
    code: str
    details: dict[str, str]


class Entries(msgspec.Struct, array_like=True, frozen=True, tag="entries"):
    """Raw entries. `following` is where to go on: a place for `Read`, a version for `ReadStream`; `more` if cut."""

    id: int
    entries: list[bytes]
    following: int
    more: bool


class Matters(msgspec.Struct, array_like=True, frozen=True, tag="matters"):
    """Sealed values with their keys."""

    id: int
    found: list[tuple[Matter, Key]]


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


Answer = Appended | Refused | Entries | Matters | Blob | Head | Note | Hashes

_encoder = msgspec.msgpack.Encoder()
call_decoder: msgspec.msgpack.Decoder[Call] = msgspec.msgpack.Decoder(Call)
answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def frame(message: Call | Answer) -> bytes:
    """The bytes of one frame."""
    payload = _encoder.encode(message)
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


class FrameError(ValueError):
    """What arrived is no frame."""


def take_frames(buffer: bytearray) -> list[bytes]:
    """Remove all complete frames from the front of `buffer` and return their payloads.

    Raises FrameError when a length is over the bound.
    """
    payloads: list[bytes] = []
    position, end = 0, len(buffer)
    while end - position >= HEADER_BYTES:
        length = int.from_bytes(buffer[position : position + HEADER_BYTES], "big")
        if length > FRAME_BYTES_MAX:
            raise FrameError(f"a frame of {length} bytes")
        start = position + HEADER_BYTES
        if end - start < length:
            break
        payloads.append(bytes(buffer[start : start + length]))
        position = start + length
    if position:
        del buffer[:position]
    return payloads
