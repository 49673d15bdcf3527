"""A short run of the fuzzers over all parsers at once, always the same inputs; `make fuzz` goes on from there."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
RUNS = 8000
SECONDS = 12
fuzzing = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="there is no atheris for this Python or machine; what it found elsewhere is judged all the same",
)

PLANTED = """
import sys
import atheris
from fuzz import __main__ as fuzz

@atheris.instrument_func
def judge(data):
    if data[1:] == b"grant":
        if data[0] == 5:
            raise KeyError("planted")

fuzz.TARGETS["entry"] = fuzz.Target(judge=judge, seeds=lambda: [b"\\x04grant"])
fuzz.HERE = fuzz.Path(sys.argv[2])
sys.argv = ["fuzz", "entry", "--here", "--seconds=60", "--seed=1", f"--learned={sys.argv[1]}"]
fuzz.main()
"""


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_starts_from_and_what_it_has_found_is_judged_well(target: str) -> None:
    found = sorted((ROOT / "fuzz" / "found" / target).glob("*"))
    inputs = [*TARGETS[target].seeds(), *[one.read_bytes() for one in found], b""]
    assert len(inputs) > 1
    for data in inputs:
        TARGETS[target].judge(data)


@fuzzing
def test_no_bytes_make_a_parser_fail_in_another_way_than_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fuzz", "together", f"--runs={RUNS}", f"--seconds={SECONDS}", "--seed=1"]
    done = subprocess.run(
        [*command, f"--learned={tmp_path}"], cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=300
    )
    assert done.returncode == 0, done.stderr[-6000:]
    assert "together: ok" in done.stdout


@fuzzing
def test_a_fault_that_is_one_changed_byte_away_is_found_and_kept(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PLANTED, str(tmp_path / "learned"), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=300, check=False)
    assert done.returncode != 0
    assert "planted" in done.stdout + done.stderr
    (kept,) = (tmp_path / "found" / "entry").iterdir()
    assert kept.read_bytes().startswith(b"\x05grant")
