"""Go's own note and tlog packages, which guard the module ecosystem, read our logs and agree, or refuse them."""

from __future__ import annotations

import random
import shutil
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.ledger import note as notes
from sojourn.ledger.note import SigningKey
from sojourn.ledger.second_key import SecondKey

from .published import KEY, Published, ask

pytestmark = pytest.mark.integration
SIZES = [1, 2, 255, 256, 257, 65_536, 65_537]


def some_places(size: int) -> list[int]:
    """The places near every edge, and a few between that are the same in each run."""
    edges = [0, 1, 2, 127, 128, 255, 256, 257, 511, 512, 65_535, 65_536, size - 257, size - 2, size - 1, size]
    return [*edges, *(random.Random(size).randrange(size) for _ in range(10))]


@pytest.mark.parametrize("size", SIZES)
def test_go_reads_a_whole_log_and_every_proof(stranger: Path, tmp_path: Path, size: int) -> None:
    log = Published.of(size)
    log.write(tmp_path)
    questions = log.questions(some_places(size))
    found = ask(stranger, tmp_path, questions)
    assert isinstance(found, dict), found
    root = b64encode(log.root(size)).decode()
    assert (found["origin"], found["size"], found["root"], found["entries"]) == (KEY.name, size, root, size)
    assert found["checked"] == sum(map(len, questions.values()))
    assert found["roots"] == {str(old): b64encode(log.root(old)).decode() for old in questions["olds"]}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(3, 3000), places=st.lists(st.integers(0, 3000), max_size=8))
def test_go_reads_a_log_of_any_size(stranger: Path, tmp_path: Path, size: int, places: list[int]) -> None:
    shutil.rmtree(tmp_path / "log", ignore_errors=True)
    log = Published.of(size)
    log.write(tmp_path / "log")
    found = ask(stranger, tmp_path / "log", log.questions(places))
    assert isinstance(found, dict), found
    assert found["entries"] == size


def test_go_passes_over_a_second_signature_of_a_kind_it_does_not_know(stranger: Path, tmp_path: Path) -> None:
    log = Published.of(300)
    log.write(tmp_path)
    note = (tmp_path / "checkpoint").read_text()
    second = SecondKey.generate(KEY.name, bytes([9] * 32))
    (tmp_path / "checkpoint").write_text(note + second.signature_line(notes.split(note)[0]))
    found = ask(stranger, tmp_path, log.questions([5, 299]))
    assert isinstance(found, dict) and found["entries"] == 300, found


def flips(path: Path, count: int) -> list[tuple[int, int]]:
    """Places and bits of a file: the first, the last, and some between."""
    size = path.stat().st_size
    chance = random.Random(path.name)
    return [(0, 0), (size - 1, 7), *((chance.randrange(size), chance.randrange(8)) for _ in range(count))]


def test_go_rejects_a_log_in_which_one_bit_is_other(stranger: Path, tmp_path: Path) -> None:
    log = Published.of(600)
    log.write(tmp_path)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) == 1 + 4 + 3
    for path in files:
        good = path.read_bytes()
        for position, bit in flips(path, 3):
            bad = bytearray(good)
            bad[position] ^= 1 << bit
            path.write_bytes(bad)
            said = ask(stranger, tmp_path, {})
            assert isinstance(said, str) and said, f"{path.name}, bit {bit} of byte {position}"
        path.write_bytes(good)
    assert isinstance(ask(stranger, tmp_path, {}), dict)


def test_go_rejects_a_proof_in_which_one_bit_is_other_and_another_key(stranger: Path, tmp_path: Path) -> None:
    log = Published.of(300)
    log.write(tmp_path)
    good = log.questions([5, 299])
    for kind in ("included", "extending"):
        for number in range(len(good[kind][0]["proof"])):
            bad = log.questions([5, 299])
            text = bad[kind][0]["proof"][number]
            bad[kind][0]["proof"][number] = ("A" if text[0] != "A" else "B") + text[1:]
            assert isinstance(ask(stranger, tmp_path, bad), str)
    assert isinstance(ask(stranger, tmp_path, good), dict)
    assert isinstance(ask(stranger, tmp_path, good, SigningKey.generate(KEY.name, bytes(32)).vkey()), str)
