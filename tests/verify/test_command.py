"""The command itself: keys, single proofs, usage errors, and what a person reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sojourn_verify


def test_without_a_key_it_says_where_to_get_one(ledger: Any, tools: Any, tmp_path: Path, verify: Any) -> None:
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    status, report = verify(pack)
    assert status == 2 and "ask the ledger's owner, not the pack" in report["problems"][0]["text"]


@pytest.mark.parametrize("way", ["direct", "through a link", "checkpoint"])
def test_a_trust_root_inside_the_pack_is_refused(
    way: str, ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    inside = pack / "ledger.vkey"
    inside.write_text(ledger.key.vkey())
    (tmp_path / "link.vkey").symlink_to(inside)
    arguments = {
        "direct": ("--key", inside),
        "through a link": ("--key", tmp_path / "link.vkey"),
        "checkpoint": ("--key", key_file, "--since", pack / "checkpoint"),
    }[way]
    status, report = verify(pack, *arguments)
    assert status == 2 and report["problems"][0]["code"] == "input.trust"


@pytest.mark.parametrize("key", ["nonsense", "a+b+c", "a.example+00000000+AAAA", "x" * 5000])
def test_a_wrong_key_is_a_usage_error(key: str, ledger: Any, tools: Any, tmp_path: Path, verify: Any) -> None:
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    assert verify(pack, "--key", key)[0] == 2
    file = tmp_path / "key"
    file.write_text(key)
    assert verify(pack, "--key", file)[0] == 2


def test_every_changed_character_of_the_key_is_noticed(ledger: Any, tools: Any, tmp_path: Path, verify: Any) -> None:
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    vkey = ledger.key.vkey()
    for place in range(len(vkey)):
        altered = vkey[:place] + chr(ord(vkey[place]) ^ 1) + vkey[place + 1 :]
        assert verify(pack, "--key", altered)[0] == 2, place


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"SQLite format 3\x00" + bytes(200), b"\xff" * 100])
def test_input_that_is_none_of_the_three_is_unusable(
    content: bytes, tmp_path: Path, verify: Any, key_file: str
) -> None:
    path = tmp_path / "input"
    path.write_bytes(content)
    assert verify(path, "--key", key_file)[0] == 2


def test_a_target_that_is_not_there_is_unusable(tmp_path: Path, verify: Any, key_file: str) -> None:
    status, report = verify(tmp_path / "nothing", "--key", key_file)
    assert status == 2 and report["problems"][0]["code"] == "input.unreadable"


def test_a_single_proof_verifies_with_its_entry(ledger: Any, tmp_path: Path, verify: Any, key_file: str) -> None:
    proof, entry = tmp_path / "4.tlog-proof", tmp_path / "4.json"
    proof.write_text(ledger.proof(4))
    entry.write_bytes(ledger.rows[4][5])
    status, report = verify(proof, "--entry", entry, "--key", key_file)
    assert status == 0 and report["checked"] == {"entries": 1} and report["size"] == 7
    entry.write_bytes(ledger.rows[3][5])
    status, report = verify(proof, "--entry", entry, "--key", key_file)
    assert status == 1 and report["problems"][0]["code"] == "entry.altered"
    assert verify(proof, "--key", key_file)[0] == 2


def test_a_person_reads_what_was_checked_and_the_verdict(
    ledger: Any, tools: Any, tmp_path: Path, key_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    assert sojourn_verify.main([str(pack), "--key", key_file]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "origin   sojourn.example/ledger" and lines[1] == "size     7"
    assert lines[3] == "checked  19 files, 7 entries, 4 streams, 1 disclosed values, 1 attachments"
    assert lines[-1] == "OK: everything leads to the signed root"
    (pack / "index.html").write_text("another story")
    assert sojourn_verify.main([str(pack), "--key", key_file]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "  pack.altered: index.html: its content is not what the manifest says"
    assert lines[-1] == "FAILED with 1 problem(s)"


def test_progress_is_drawn_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sojourn_verify.Verification().progress(10, 10)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    report = sojourn_verify.Verification()
    report.progress(5000, 10_000)
    report.progress(5001, 10_000)
    report.progress(10_000, 10_000)
    drawn = capsys.readouterr().err
    assert drawn.count("\r") == 2 and "[####################                    ] 5,000 of 10,000" in drawn
    assert drawn.endswith("10,000 of 10,000 entries\n")


def test_the_file_alone_runs_in_a_bare_interpreter(ledger: Any, tools: Any, tmp_path: Path, key_file: str) -> None:
    """Isolated mode and no site packages: only the standard library is within reach."""
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    alone = tmp_path / "alone.py"
    alone.write_bytes(Path(sojourn_verify.__file__).read_bytes())
    command = [sys.executable, "-I", "-S", str(alone), str(pack), "--key", key_file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"LC_ALL": "C"})
    assert (done.returncode, done.stderr) == (0, "") and "OK" in done.stdout
    command = [sys.executable, "-I", "-S", str(alone)]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 2
