"""What is fuzzed: each parser takes any bytes, and says what they are or raises its one error.

What a parser takes, it writes again as the same bytes where it can; and where the product and the stand-alone verifier
read the same thing, they agree.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

import sojourn_verify
from sojourn.codes import Code
from sojourn.domain.events import KINDS
from sojourn.errors import SojournError
from sojourn.ledger import (
    canonical,
    checkpoint,
    cosignature,
    entry,
    merkle,
    note,
    policy,
    proof,
    rotation,
    submission,
    tiles,
)
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.second_key import SecondKey
from sojourn.publisher.certificate_set import with_sorted_certificates
from sojourn.publisher.token import TokenError, check_token, read_roots
from sojourn.scribe import anchor, client, codec, protocol, rows

from . import hosts, postgres, seeds, writing
from .seeds import COSIGNER, KEY, SECOND_KEY

BYTES_MAX = 4096
TRUST = sojourn_verify.Trust([sojourn_verify.Key.parse(KEY.vkey(), sojourn_verify.LOG)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`judge` takes any bytes and raises only when the product is wrong. `seeds` are what it starts from."""

    judge: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    bytes_max: int = BYTES_MAX


@contextmanager
def only(*allowed: type[Exception]) -> Iterator[None]:
    """Bytes that are refused with the parser's own error are what this is about."""
    try:
        yield
    except allowed:
        return


@contextmanager
def damaged() -> Iterator[None]:
    """As `only`, for those that say `record.damaged`."""
    try:
        yield
    except SojournError as error:
        if error.code is not Code.RECORD_DAMAGED:
            raise


def _accepts(parse: Callable[[bytes], object], data: bytes, refusal: type[Exception]) -> bool:
    try:
        parse(data)
    except refusal:
        return False
    return True


def _agree(what: str, ours: bool, theirs: bool) -> None:
    if ours != theirs:
        raise AssertionError(f"the product {'takes' if ours else 'refuses'} this {what}, and the verifier does not")


def _entry(data: bytes) -> None:
    _agree(
        "entry",
        _accepts(entry.parse, data, LedgerError),
        _accepts(sojourn_verify.read_entry, data, sojourn_verify.CheckError),
    )
    with damaged():
        client.read_entry(data)


def _canonical(data: bytes) -> None:
    with only(LedgerError):
        assert canonical.encode(canonical.parse(data)) == data
        _agree("JSON", True, _accepts(sojourn_verify.canonical, data, sojourn_verify.CheckError))


def _body(data: bytes) -> None:
    """The first byte chooses the kind: what the scribe takes, every reader can read and writes again."""
    names = sorted(KINDS)
    kind, body = names[data[0] % len(names)] if data else "none", data[1:]
    fits = False
    with damaged():
        fits = codec.is_canonical(kind, body)
    if fits:
        assert codec.encode(codec.decode(kind, body)) == body
        assert canonical.encode(canonical.parse(body, max_bytes=1 << 30)) == body
    else:
        with damaged():
            codec.decode(kind, body)


def _note(data: bytes) -> None:
    text = data.decode(errors="surrogateescape")
    with only(LedgerError):
        note.split(text)
    with only(LedgerError):
        checkpoint.parse(text)
    with only(LedgerError):
        note.Verifier.parse(text)
    with only(LedgerError):
        cosignature.Cosigner.parse(text)
    with only(LedgerError):
        note.SigningKey.parse(text)
    with only(LedgerError):
        SecondKey.parse(text)
    with only(LedgerError):
        SECOND_KEY.verify(text)
    with only(LedgerError):
        cosignature.verify(text, [COSIGNER])
    with only(LedgerError):
        cosignature.read_answer(seeds.signed(), text, COSIGNER)
    with only(LedgerError):
        rotation.follow(rotation.split(text))
    theirs = _accepts(lambda some: TRUST.check(sojourn_verify.Note(some)), data, sojourn_verify.CheckError)
    ours = False
    with only(LedgerError):
        checkpoint.open(text, KEY.verifier())
        ours = True
    _agree("checkpoint", ours, theirs)


def _proof(data: bytes) -> None:
    text = data.decode(errors="surrogateescape")
    with only(LedgerError):
        read = proof.parse(text)
        assert read.format() == text
        proof.verify(read, leaf=bytes(32), verifier=KEY.verifier())
    with only(sojourn_verify.CheckError):
        sojourn_verify.check_proof(data, b"")
    with only(sojourn_verify.CheckError):
        sojourn_verify.Trust([], data.decode(errors="replace"))
    with only(sojourn_verify.CheckError):
        sojourn_verify.Trust([sojourn_verify.Key.parse(KEY.vkey(), sojourn_verify.LOG)]).turn(data)


def _policy(data: bytes) -> None:
    with only(LedgerError):
        policy.accept(policy.parse(data), seeds.signed())


def _submission(data: bytes) -> None:
    with only(LedgerError):
        assert submission.parse(data).format() == data


def _bundle(data: bytes) -> None:
    ours = _accepts(tiles.decode_bundle, data, LedgerError)
    if ours:
        assert tiles.encode_bundle(tiles.decode_bundle(data)) == data
    if data:
        _agree("bundle", ours, _accepts(sojourn_verify.split_bundle, data, sojourn_verify.CheckError))
        _walk(data)
    with damaged():
        rows.unpack((0, data[0] if data else 0, bytes(32 * len(data[:300])), data[1:]))
    with damaged():
        rows.unpack_places(data)
    rows.named(3, b"", data)


def _walk(bundle: bytes) -> None:
    """Entries whose shapes are known are judged as they were when they were parsed."""
    run, told = sojourn_verify.Verification(), list[list[dict[str, str]]]()
    with only(sojourn_verify.CheckError):
        leaves = b"".join(map(merkle.leaf_hash, sojourn_verify.split_bundle(bundle)))
        for _ in range(2):
            run.versions, run.time, run.problems = {}, b"", []
            run.take(bundle, leaves, 0)
            told.append(run.problems)
        assert told[0] == told[1]


def _tile(data: bytes) -> None:
    with only(LedgerError):
        tiles.split_hashes(data)
    with only(LedgerError):
        path = data.decode(errors="replace")
        assert tiles.tile_path(*tiles.parse_tile_path(path)) == path


def _calls(data: bytes) -> None:
    """What arrives at the scribe's socket."""
    arrived = bytearray(data)
    with only(protocol.FrameError):
        for payload in protocol.take_frames(arrived):
            try:
                call = protocol.call_decoder.decode(payload)
            except protocol.UNREADABLE:
                protocol.call_id_of(payload)
            else:
                assert protocol.call_decoder.decode(protocol.frame(call)[protocol.HEADER_BYTES :]) == call


def _answers(data: bytes) -> None:
    """What arrives at a client."""
    arrived = bytearray(data)
    with only(protocol.FrameError, *protocol.UNREADABLE):
        for payload in protocol.take_frames(arrived):
            msgspec.to_builtins(protocol.answer_decoder.decode(payload))


def _pack(data: bytes) -> None:
    """The verifier's own command, on a file that may be a pack."""
    with tempfile.NamedTemporaryFile(dir=writing.memory()) as file, contextlib.redirect_stdout(io.StringIO()) as told:
        file.write(data)
        file.flush()
        status = sojourn_verify.main([file.name, "--key", KEY.vkey(), "--json"])
        assert status in (0, 1, 2) and json.loads(told.getvalue())["ok"] is (status == 0)


def _anchor(data: bytes) -> None:
    """What lies beside the store: the last signed checkpoint, and the last acknowledgement."""
    with tempfile.NamedTemporaryFile(dir=writing.memory()) as file:
        file.write(data)
        file.flush()
        with only(LedgerError):
            anchor.read_anchor(Path(file.name), KEY.verifier())
        watermark = anchor.Watermark(Path(file.name))
        watermark.read()
        watermark.close()


def _stamp(data: bytes) -> None:
    """Nothing but the token that was given is one for these bytes, and its time cannot be changed."""
    assert sorted(with_sorted_certificates(data)) == sorted(data)
    with only(TokenError):
        time = check_token(data, seeds.STAMPED, seeds.stamp_roots())
        (good,) = seeds.stamps()
        assert time == check_token(good, seeds.STAMPED, seeds.stamp_roots())
    with only(TokenError):
        read_roots(data)


TARGETS: dict[str, Target] = {
    "entry": Target(judge=_entry, seeds=seeds.entries, bytes_max=70_000),
    "canonical": Target(judge=_canonical, seeds=seeds.values),
    "body": Target(judge=_body, seeds=seeds.bodies),
    "note": Target(judge=_note, seeds=seeds.notes),
    "proof": Target(judge=_proof, seeds=seeds.proofs),
    "policy": Target(judge=_policy, seeds=seeds.policies),
    "submission": Target(judge=_submission, seeds=seeds.submissions),
    "bundle": Target(judge=_bundle, seeds=seeds.bundles, bytes_max=140_000),
    "tile": Target(judge=_tile, seeds=seeds.tile_paths, bytes_max=9000),
    "calls": Target(judge=_calls, seeds=seeds.calls),
    "answers": Target(judge=_answers, seeds=seeds.answers),
    "append": Target(judge=writing.append, seeds=seeds.appends),
    "serve": Target(judge=writing.serve, seeds=seeds.calls),
    "anchor": Target(judge=_anchor, seeds=seeds.notes),
    "stamp": Target(judge=_stamp, seeds=seeds.stamps),
    "pack": Target(judge=_pack, seeds=seeds.packs),
    "postgres-client": Target(judge=postgres.from_client, seeds=postgres.captures),
    "postgres-target": Target(judge=postgres.from_target, seeds=postgres.captures),
    "postgres-start": Target(judge=postgres.start, seeds=postgres.starts),
    "postgres-talk": Target(judge=postgres.talk, seeds=postgres.turns),
    "postgres-label": Target(judge=postgres.label, seeds=postgres.statements),
    "ssh-files": Target(judge=hosts.sftp, seeds=hosts.packets),
    "ssh-copies": Target(judge=hosts.scp, seeds=hosts.copies),
    "ssh-recording": Target(judge=hosts.recording, seeds=hosts.chunks),
    "ssh-key": Target(judge=hosts.key, seeds=hosts.keys),
}


def _together(data: bytes) -> None:
    """The first byte chooses one of the others."""
    if data:
        targets = list(TARGETS.values())
        targets[data[0] % len(targets)].judge(data[1:])


def together() -> Target:
    """All targets in one, for a short run: a process that instruments the product starts slowly."""
    chosen = [bytes([number]) + seed for number, one in enumerate(TARGETS.values()) for seed in one.seeds()]
    return Target(judge=_together, seeds=lambda: chosen, bytes_max=70_000)
