"""aics-tlog, another project's verifier of C2SP logs in Python, reads our logs and agrees, or refuses them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.note import SigningKey
from sojourn.testing.packages import alone

from .conftest import HERE
from .published import KEY, Published
from .test_go import flips, some_places

pytestmark = pytest.mark.integration
PACKAGE = "aics-tlog==0.2.1"
WITNESS = CosigningKey.generate("witness.example/w1", b"\x08" * 32)
SIZES = [1, 2, 255, 256, 257, 65_536, 65_537]
Ask = Callable[..., dict[str, Any] | str]


def newer_python() -> str | None:
    """A Python from 3.12 on: this one, or one that lies beside it."""
    names = ("python3.12", "python3.13", "python3.14")
    beside = [str(path) for path in Path(sys.base_prefix).parent.glob("3.1[2-9]*/bin/python3")]
    for name in (sys.executable, *beside, *names):
        found = shutil.which(name)
        command = [found or "", "-c", "import sys, venv; sys.exit(sys.version_info < (3, 12))"]
        if found and subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return found
    return None


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Asks the stranger about a folder; gives what it found, or what it said instead."""
    python = newer_python()
    if python is None:
        pytest.skip("aics-tlog needs Python 3.12 or newer, and there is none on this machine")
    place = Path(tempfile.gettempdir()) / f"sojourn-tests-{PACKAGE}"
    with alone("aics"):
        if not (place / "ready").exists():
            shutil.rmtree(place, ignore_errors=True)
            subprocess.run([python, "-m", "venv", str(place)], check=True, capture_output=True)
            install = [str(place / "bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", PACKAGE]
            done = subprocess.run(install, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{PACKAGE} could not be installed: {done.stderr[-500:]}"
            (place / "ready").touch()

    def asked(folder: Path, questions: dict[str, Any], vkey: str = KEY.vkey()) -> dict[str, Any] | str:
        command = [str(place / "bin/python"), str(HERE / "aics.py"), str(folder), vkey, WITNESS.cosigner().vkey()]
        done = subprocess.run(
            command, input=json.dumps(questions), capture_output=True, text=True, timeout=300, check=False
        )
        found: dict[str, Any] = {} if done.returncode else json.loads(done.stdout)
        return found or done.stderr

    return asked


def cosign(folder: Path) -> None:
    """Put beside a log what our witness makes of its checkpoint."""
    note = (folder / "checkpoint").read_text()
    text = note.partition("\n\n")[0] + "\n"
    (folder / "cosigned").write_text(note + WITNESS.cosign(text, 1_767_000_000))


@pytest.mark.parametrize("size", SIZES)
def test_it_reads_a_whole_log_and_every_proof_and_the_cosignature(ask: Ask, tmp_path: Path, size: int) -> None:
    log = Published.of(size)
    log.write(tmp_path)
    cosign(tmp_path)
    questions = log.questions(some_places(size))
    del questions["olds"]
    found = ask(tmp_path, questions)
    assert isinstance(found, dict), found
    root = b64encode(log.root(size)).decode()
    assert (found["origin"], found["size"], found["root"], found["witnesses"]) == (KEY.name, size, root, 1)
    assert found["checked"] == sum(map(len, questions.values()))


def test_it_rejects_a_log_in_which_one_bit_is_other(ask: Ask, tmp_path: Path) -> None:
    log = Published.of(600)
    log.write(tmp_path)
    cosign(tmp_path)
    (tmp_path / "checkpoint").unlink()
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) == 1 + 4 + 3
    for path in files:
        good = path.read_bytes()
        for position, bit in flips(path, 1):
            bad = bytearray(good)
            bad[position] ^= 1 << bit
            path.write_bytes(bad)
            said = ask(tmp_path, {})
            assert isinstance(said, str) and said, f"{path.name}, bit {bit} of byte {position}"
        path.write_bytes(good)
    assert isinstance(ask(tmp_path, {}), dict)


def test_it_rejects_a_proof_in_which_one_bit_is_other_and_another_key(ask: Ask, tmp_path: Path) -> None:
    log = Published.of(300)
    log.write(tmp_path)
    good = log.questions([5, 299])
    del good["olds"]
    assert isinstance(ask(tmp_path, good), dict)
    for kind in ("included", "extending"):
        bad = json.loads(json.dumps(good))
        text = bad[kind][0]["proof"][0]
        bad[kind][0]["proof"][0] = ("A" if text[0] != "A" else "B") + text[1:]
        assert isinstance(ask(tmp_path, bad), str)
    assert isinstance(ask(tmp_path, good, SigningKey.generate(KEY.name, bytes(32)).vkey()), str)
