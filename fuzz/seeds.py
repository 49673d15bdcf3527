"""What fuzzing starts from: one or more good pieces of each kind, from keys that are nobody's."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.x509 import Certificate

from sojourn.codes import Code
from sojourn.domain.events import KINDS, ActionIntended, CancelRequested, Event
from sojourn.domain.identifiers import SessionId
from sojourn.domain.sealed import Sealed
from sojourn.ledger import canonical, checkpoint, entry, tiles
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.merkle import leaf_hash
from sojourn.ledger.note import SigningKey
from sojourn.ledger.proof import Proof
from sojourn.ledger.second_key import SecondKey
from sojourn.ledger.submission import submit
from sojourn.publisher.token import read_roots
from sojourn.scribe import codec, protocol

KEY = SigningKey.generate("fuzz.example/ledger", bytes(range(32)))
WITNESS = CosigningKey.generate("fuzz.example/witness", bytes(range(1, 33)))
COSIGNER = WITNESS.cosigner()
SECOND_KEY = SecondKey.generate(KEY.name, bytes(range(2, 34)))
TEXT = Checkpoint(origin=KEY.name, size=7, root=sha256(b"root").digest())
EVENTS: tuple[Event, ...] = (
    CancelRequested(session=SessionId("s-0123456789"), source="here"),
    ActionIntended(
        session=SessionId("s-0123456789"),
        number=3,
        protocol="postgres",
        verb="read",
        may_write=False,
        objects=("shop.orders", "größe"),
        detail=Sealed(commitment="ab" * 32, key="k-0123456789"),
    ),
)


@cache
def signed() -> str:
    """A signed checkpoint."""
    return checkpoint.sign(TEXT, KEY)


@cache
def cosigned() -> str:
    """The same, cosigned."""
    return signed() + WITNESS.cosign(TEXT.format(), 1_700_000_000)


def entries() -> Iterator[bytes]:
    """Entries of two kinds."""
    for seq, event in enumerate(EVENTS):
        yield entry.assemble(
            seq=seq,
            at="2026-11-30T10:00:00.000000Z",
            stream="session/s-0123456789",
            version=seq + 1,
            kind=event.kind,
            body=codec.encode(event),
        )


def values() -> Iterator[bytes]:
    """Canonical JSON of each shape."""
    yield canonical.encode({"a": [1, -2, "ü", "\u0007\n", True, None, {}], "b_2": {"c": []}})
    yield from entries()


def bodies() -> Iterator[bytes]:
    """The number of a kind, and a body of that kind."""
    names = sorted(KINDS)
    for event in EVENTS:
        yield bytes([names.index(event.kind)]) + codec.encode(event)
    for number in range(len(names)):
        yield bytes([number]) + b"{}"


def notes() -> Iterator[bytes]:
    """Checkpoints and keys."""
    for text in (TEXT.format(), signed(), cosigned(), WITNESS.cosign(TEXT.format(), 1), KEY.vkey(), COSIGNER.vkey()):
        yield text.encode()
    twice = signed() + SECOND_KEY.signature_line(TEXT.format())
    for text in (KEY.format(), SECOND_KEY.format(), twice):
        yield text.encode()


def proofs() -> Iterator[bytes]:
    """A proof with and without what is optional."""
    for extra in (None, b"extra"):
        hashes = tuple(sha256(bytes([number])).digest() for number in range(3))
        yield Proof(index=3, hashes=hashes, checkpoint_note=signed(), extra=extra).format().encode()


def policies() -> Iterator[bytes]:
    """A policy with everything in it."""
    yield (
        f"# who is believed\nlog {KEY.vkey()}\nwitness one {COSIGNER.vkey()} https://one.example/\n"
        f"group all-of-them all one\nquorum all-of-them\n"
    ).encode()
    yield b"quorum none\n"


def submissions() -> Iterator[bytes]:
    """A first one, and a later one."""
    yield submit(signed(), old=0, proof=()).format()
    yield submit(cosigned(), old=3, proof=(sha256(b"1").digest(), sha256(b"2").digest())).format()


def bundles() -> Iterator[bytes]:
    """Entries with their lengths, and places of an index."""
    yield tiles.encode_bundle(list(entries()))
    yield tiles.encode_bundle([b""])
    yield (3).to_bytes(8, "big") * 2


def tile_paths() -> Iterator[bytes]:
    """Paths, and hashes."""
    yield b"tile/0/x001/x234/067"
    yield b"tile/entries/000.p/17"
    yield bytes(64)


def calls() -> Iterator[bytes]:
    """One of each call."""
    draft = protocol.Draft("session/s-0123456789", "session.cancel_requested", codec.encode(EVENTS[0]), None)
    matter = protocol.Matter("ab" * 32, "k-1", b"sealed")
    key = protocol.Key("k-1", "alice/statement", "evidence", b"wrapped")
    for call in (
        protocol.Append(1, [draft, draft], [("session/s-1", 3)], [matter], [key], [b"attachment"]),
        protocol.ReadStream(2, "session/s-1", 0),
        protocol.Read(3, 0, 10, ["session/"], True),
        protocol.Fetch(4, [1, 2, 3]),
        protocol.ReadMatter(5, ["ab" * 32]),
        protocol.ReadKeys(6, "alice", ""),
        protocol.ReadAttachment(7, "cd" * 32),
        protocol.ReadHead(8),
        protocol.Sign(9),
        protocol.Prove(10, [1], 2),
        protocol.ProveConsistency(11, 1, 2),
    ):
        yield protocol.frame(call)


def answers() -> Iterator[bytes]:
    """One of each answer."""
    for answer in (
        protocol.Appended(1, 0, 1, "2026-11-30T10:00:00.000000Z"),
        protocol.AppendedTogether([protocol.Appended(1, 0, 1, "2026-11-30T10:00:00.000000Z")] * 2),
        protocol.Refused(2, Code.RECORD_STALE, {"stream": "a"}),
        protocol.Entries(3, list(entries()), 2, False),
        protocol.Matters(4, [(protocol.Matter("ab" * 32, "k", b"c"), protocol.Key("k", "a/b", "e", b"w"))], 1),
        protocol.Keys(5, [("k", "a/b", "e", False)], False),
        protocol.Blob(6, b"content"),
        protocol.Head(7, 1, bytes(32)),
        protocol.Note(8, signed()),
        protocol.Hashes(9, [bytes(32)]),
    ):
        yield protocol.frame(answer)


def appends() -> Iterator[bytes]:
    """What `writing.append` makes of an append of each kind of event here."""
    names = sorted(KINDS)
    for event in EVENTS:
        stream = b"session/s-0123456789"
        for beside in (0, 4 + 8, 4 + 8 + 1):
            yield bytes([names.index(event.kind), len(stream), 1, beside]) + stream + codec.encode(event)


STAMP = Path(__file__).parent / "stamp"
STAMPED = b"fuzzed"


def stamps() -> Iterator[bytes]:
    """What OpenSSL answered once when it was asked to stamp `STAMPED`; `root.pem` is what that leads to."""
    yield (STAMP / "answer.tsr").read_bytes()


@cache
def stamp_roots() -> tuple[Certificate, ...]:
    """The root of that answer."""
    return read_roots((STAMP / "root.pem").read_bytes())


def packs() -> Iterator[bytes]:
    """A whole evidence pack of one entry, unpacked and packed."""
    (data, *_) = entries()
    head = Checkpoint(origin=KEY.name, size=1, root=leaf_hash(data))
    note = checkpoint.sign(head, KEY)
    files = {
        "checkpoint": note.encode(),
        "entries/000000000000.json": data,
        "proofs/000000000000.tlog-proof": Proof(index=0, hashes=(), checkpoint_note=note).format().encode(),
    }
    listed = {path: {"bytes": len(content), "sha256": sha256(content).hexdigest()} for path, content in files.items()}
    manifest = {
        "files": listed,
        "format": "sojourn-evidence-pack/1",
        "origin": KEY.name,
        "subject": "session/s-0123456789",
    }
    files["manifest.json"] = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as archive:
            for path, content in files.items():
                archive.writestr(zipfile.ZipInfo(path), content, method)
        yield packed.getvalue()
