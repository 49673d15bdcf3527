"""Two verifiers that were written apart agree: on what is sound, and on every way to alter it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

import sojourn_verify
from sojourn.ledger import note as notes
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.note import SigningKey
from sojourn_verify import COSIGNATURE, LOG, Key, Trust, Verification

from . import second

NAME = "sojourn.example/ledger"
OLD = SigningKey.generate(NAME, bytes(range(32)))
NEW = SigningKey.generate(NAME, bytes([7] * 32))
WITNESS = CosigningKey.generate("witness.example/one", bytes([1] * 32))
POLICY = f"witness one {WITNESS.cosigner().vkey()}\nquorum one\n"

Files = dict[str, bytes]


def openers(files: Files) -> Any:
    return {path: partial(io.BytesIO, content) for path, content in files.items()}


def first_passes(verify: Callable[[Verification], None], files: Files) -> bool:
    run = Verification(Trust([Key.parse(OLD.vkey(), LOG)], POLICY), files=openers(files))
    with run.at("it"):
        verify(run)
    return not run.found and run.trust.witnessed >= 0


def second_passes(verify: Callable[..., int], files: Files) -> bool:
    try:
        verify(files, second.Trust(OLD.vkey(), [WITNESS.cosigner().vkey()]))
    except second.Refused:
        return False
    return True


def signed(ledger: Any, size: int, *, cosigned: bool = True) -> bytes:
    text, _ = notes.split(ledger.note(size))
    line = WITNESS.cosign(text, 1_790_000_000) if cosigned else ""
    return (notes.sign(text, [NEW]) + line).encode()


def turn(size: int) -> bytes:
    text = f"sojourn/key-rotation/v1\nfrom {size}\nold {OLD.vkey()}\nnew {NEW.vkey()}\n"
    return notes.sign(text, [OLD, NEW]).encode()


@pytest.fixture
def log(ledger: Any) -> Files:
    """A published ledger with tiles of two levels, cosigned, whose key has changed."""
    for place in range(300 - len(ledger.rows)):
        ledger.append(f"session/s-{place % 3}", "statement.intended", {"place": place})
    files: Files = ledger.published()
    newest = signed(ledger, 300, cosigned=False)
    return files | {"checkpoint": newest, "cosigned": signed(ledger, 290), "rotations": turn(7)}


@pytest.fixture
def pack(ledger: Any, tools: Any) -> Files:
    """An evidence pack with a cosigned checkpoint and a change of keys."""
    plain = ledger.note().encode()
    files = {path: content.replace(plain, signed(ledger, 7)) for path, content in ledger.pack().items()}
    whole: Files = tools.with_manifest(files | {"rotations": turn(3)}, NAME)
    return whole


BOTH: list[Callable[[Files], bool]] = [
    partial(first_passes, Verification.log), partial(second_passes, second.verify_log)
]  # fmt: skip
BOTH_ON_PACKS: list[Callable[[Files], bool]] = [
    partial(first_passes, Verification.pack), partial(second_passes, second.verify_pack)
]  # fmt: skip


def flips(content: bytes, step: int) -> Iterator[bytes]:
    for place in range(0, len(content), step):
        altered = bytearray(content)
        altered[place] ^= 1 << place % 8
        yield bytes(altered)


def lengths(content: bytes) -> Iterator[bytes]:
    yield from (b"", content[:-1], content[1:], content + b"\x00", content + b"\n", content + content)


def numbered(content: bytes, old: bytes, *new: bytes) -> Iterator[bytes]:
    assert old in content
    yield from (content.replace(old, one) for one in new)


def test_both_take_a_sound_published_ledger(log: Files) -> None:
    assert [passes(log) for passes in BOTH] == [True, True]


def test_both_take_a_sound_pack(pack: Files) -> None:
    assert [passes(pack) for passes in BOTH_ON_PACKS] == [True, True]


def altered_log(log: Files, kind: str) -> Iterator[Files]:
    bundle, leaf, tile = log["tile/entries/000"], log["tile/0/000"], log["tile/1/000.p/1"]
    first = 2 + int.from_bytes(bundle[:2], "big")
    after = first + 2 + int.from_bytes(bundle[first : first + 2], "big")
    match kind:
        case "leaf":
            yield from (log | {"tile/0/000": one} for one in flips(leaf, 127))
            yield from (log | {"tile/0/001.p/44": one} for one in flips(log["tile/0/001.p/44"], 61))
        case "tile":
            yield from (log | {"tile/1/000.p/1": one} for one in flips(tile, 1))
        case "bundle":
            yield from (log | {"tile/entries/000": one} for one in flips(bundle, 997))
            yield from (log | {"tile/entries/000": one + bundle[after:]} for one in flips(bundle[:after], 7))
        case "checkpoint":
            yield from (log | {"checkpoint": one} for one in flips(log["checkpoint"], 3))
        case "cosignature":
            yield from (log | {"cosigned": one} for one in flips(log["cosigned"], 3))
        case "rotation":
            yield from (log | {"rotations": one} for one in flips(log["rotations"], 3))
        case "order":
            yield log | {"tile/entries/000": bundle[first:after] + bundle[:first] + bundle[after:]}
            yield log | {"tile/0/000": leaf[32:64] + leaf[:32] + leaf[64:]}
            yield log | {"tile/0/000": leaf[-32:] + leaf[:-32]}
            yield log | {"tile/entries/000": log["tile/entries/001.p/44"], "tile/entries/001.p/44": bundle}
        case "length":
            yield from (log | {path: one} for path in log for one in lengths(log[path]))
            # Nothing tells which hash in an entry is that of an attachment, so one that is gone cannot be missed.
            left = [path for path in log if not path.startswith("attachment/")]
            yield from ({path: one for path, one in log.items() if path != gone} for gone in left)
        case "size":
            for path in ("checkpoint", "cosigned"):
                size = b"\n300\n" if path == "checkpoint" else b"\n290\n"
                for one in numbered(log[path], size, b"\n299\n", b"\n301\n", b"\n0\n", b"\n0300\n", b"\n-1\n"):
                    yield log | {path: one}
            yield from (log | {"rotations": one} for one in numbered(log["rotations"], b"from 7", b"from 8", b"from 0"))


@pytest.mark.parametrize(
    "kind",
    ["leaf", "tile", "bundle", "checkpoint", "cosignature", "rotation", "order", "length", "size"],
)
def test_both_find_every_change_of_a_published_ledger(kind: str, log: Files) -> None:
    tried, missed = 0, list[tuple[int, list[bool]]]()
    for altered in altered_log(log, kind):
        tried += 1
        passed = [passes(altered) for passes in BOTH]
        if any(passed):
            missed.append((tried, passed))
    assert tried and missed == []


def test_both_find_every_changed_byte_of_what_a_pack_is_believed_for(pack: Files, tools: Any) -> None:
    bound = [path for path in pack if path.split("/")[0] not in ("manifest.json", "index.html", "grant.json")]
    missed = []
    for path in bound:
        for altered in [*flips(pack[path], 29), *lengths(pack[path])]:
            files = tools.with_manifest(pack | {path: altered}, NAME)
            passed = [passes(files) for passes in BOTH_ON_PACKS]
            if any(passed):
                missed.append((path, passed))
    assert missed == []


def test_both_find_a_file_of_a_pack_that_its_manifest_does_not_tell_of(pack: Files) -> None:
    for path in pack:
        altered = [pack | {path: pack[path] + b" "}, {name: one for name, one in pack.items() if name != path}]
        for files in [*altered, pack | {"another": b""}]:
            assert [passes(files) for passes in BOTH_ON_PACKS] == [False, False], path


def test_both_follow_the_same_proofs(ledger: Any) -> None:
    trust = second.Trust(OLD.vkey())
    for size in (1, 2, 3, 5, 7):
        for index in range(size):
            proof, entry = ledger.proof(index, size).encode(), ledger.rows[index][5]
            assert second.verify_proof(proof, entry, trust)[0] == index == sojourn_verify.check_proof(proof, entry)[0]
            for altered in [*flips(proof, 5), *lengths(proof)]:
                with pytest.raises(second.Refused):
                    second.verify_proof(altered, entry, trust)
                with pytest.raises(sojourn_verify.CheckError):
                    _, note = sojourn_verify.check_proof(altered, entry)
                    Trust([Key.parse(OLD.vkey(), LOG)]).check(note)
    assert second.Key(WITNESS.cosigner().vkey(), 4).kind == COSIGNATURE
