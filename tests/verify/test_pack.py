"""The verifier on evidence packs: what it accepts, and each thing it has to find."""

from __future__ import annotations

import base64
import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

PROOF = "proofs/{:012}.tlog-proof"
ENTRY = "entries/{:012}.json"


def codes(report: dict[str, Any]) -> set[str]:
    return {problem["code"] for problem in report["problems"]}


def where(report: dict[str, Any], code: str) -> str:
    return str(next(problem["where"] for problem in report["problems"] if problem["code"] == code))


def test_a_pack_in_a_directory_verifies(ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str) -> None:
    pack = tools.write_directory(ledger.pack(1, 2, 3, 4, 5, 6), tmp_path / "pack")
    status, report = verify(pack, "--key", key_file)
    assert (status, report["ok"], report["problems"]) == (0, True, [])
    assert report["origin"] == "sojourn.example/ledger" and report["size"] == 7
    assert base64.b64decode(report["root"]) == ledger.read_hash(3, 0)
    assert report["checked"] == {"files": 17, "entries": 6, "streams": 4, "disclosed values": 1, "attachments": 1}


def test_the_same_pack_verifies_as_a_zip(ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str) -> None:
    pack = tools.write_zip(ledger.pack(), tmp_path / "pack.zip")
    assert verify(pack, "--key", key_file)[0] == 0


def test_the_key_may_be_given_as_text(ledger: Any, tools: Any, tmp_path: Path, verify: Any) -> None:
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    assert verify(pack, "--key", ledger.key.vkey())[0] == 0


def test_an_altered_entry_is_named_even_if_the_manifest_was_made_to_fit(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = ledger.pack()
    files[ENTRY.format(6)] = files[ENTRY.format(6)].replace(b'"rows":12', b'"rows":11')
    pack = tools.write_directory(tools.with_manifest(files, ledger.key.name), tmp_path / "pack")
    status, report = verify(pack, "--key", key_file)
    assert status == 1
    assert where(report, "entry.altered") == "entry 6 (grant.ended, grant/g-1 version 2)"


def test_an_entry_left_out_of_the_subjects_own_stream_is_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    pack = tools.write_directory(ledger.pack(2, 4, 5, 6), tmp_path / "one")
    assert verify(pack, "--key", key_file)[0] == 0
    pack = tools.write_directory(ledger.pack(3, 4, 5, 6), tmp_path / "two")
    status, report = verify(pack, "--key", key_file)
    assert status == 1 and where(report, "stream.gap") == "request/r-1"


def change(files: dict[str, bytes], what: str) -> dict[str, bytes]:
    """One way each to break a pack; the manifest is made to fit afterwards."""
    entry, proof = ENTRY.format(4), PROOF.format(4)
    match what:
        case "proof.missing":
            files.pop(proof)
        case "proof.unused":
            files.pop(entry)
        case "proof.form":
            files[proof] = b"c2sp.org/tlog-proof@v1\nindex 04\n\n" + files["checkpoint"]
        case "entry.form":
            files[entry] = files[entry].replace(b'"v":1', b'"v":2')
        case "form.json":
            files[entry] = files[entry].replace(b'{"attached":', b'{ "attached":')
        case "entry.altered":
            files[entry], files[ENTRY.format(6)] = files[ENTRY.format(6)], files[entry]
        case "entry.misplaced":
            files["entries/000000000099.json"] = files.pop(entry)
            files["proofs/000000000099.tlog-proof"] = files.pop(proof)
        case "disclosed.altered":
            files["disclosed.json"] = files["disclosed.json"].replace(b'"value":"c2Vs', b'"value":"c2Vt')
        case "disclosed.unknown":
            files["disclosed.json"] = files["disclosed.json"].replace(b'"commitment":"', b'"commitment":"0')
        case "disclosed.form":
            files["disclosed.json"] = b'{"a":1}'
        case "attachment.altered":
            name = next(path for path in files if path.startswith("attachments/"))
            files[name] = b"other terms"
        case "checkpoint.signature":
            files["checkpoint"] = files["checkpoint"].replace(b"\n7\n", b"\n8\n")
        case "checkpoint.form":
            files["checkpoint"] = b"nothing signed\n"
        case "pack.missing":
            files.pop("checkpoint")
    return files


@pytest.mark.parametrize(
    "code",
    [
        "proof.unused", "proof.form", "entry.form", "form.json", "entry.altered", "entry.misplaced",
        "disclosed.altered", "disclosed.unknown", "disclosed.form", "attachment.altered",
        "checkpoint.signature", "checkpoint.form", "pack.missing",
    ],
)  # fmt: skip
def test_each_way_to_break_a_pack_has_its_own_finding(
    code: str, ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = change(ledger.pack(), code)
    pack = tools.write_directory(tools.with_manifest(files, ledger.key.name), tmp_path / "pack")
    status, report = verify(pack, "--key", key_file)
    assert status == 1 and code in codes(report), report["problems"]


def test_an_entry_without_its_proof_is_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = change(ledger.pack(), "proof.missing")
    pack = tools.write_directory(tools.with_manifest(files, ledger.key.name), tmp_path / "pack")
    status, report = verify(pack, "--key", key_file)
    assert status == 1 and where(report, "pack.missing") == "entry 4 (grant.created, grant/g-1 version 1)"


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b"7", b'""', b"[7]", b'{"files":[],"format":"","origin":"","subject":""}']
)
def test_a_manifest_of_another_shape_is_refused(
    content: bytes, ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    pack = tools.write_directory(ledger.pack() | {"manifest.json": content}, tmp_path / "pack")
    status, report = verify(pack, "--key", key_file)
    assert status == 1 and codes(report) == {"manifest.form"}


@pytest.mark.parametrize("field", ["format", "origin", "subject"])
def test_a_manifest_whose_fields_are_no_texts_is_refused(
    field: str, ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = ledger.pack()
    files["manifest.json"] = json.dumps(
        json.loads(files["manifest.json"]) | {field: []}, separators=(",", ":")
    ).encode()
    assert verify(tools.write_directory(files, tmp_path / "pack"), "--key", key_file)[0] in (1, 2)


@pytest.mark.parametrize(
    "content", [b"7", b'""', b"null", b"[null]", b'["a"]', b'[{"commitment":1,"salt":2,"value":3}]']
)
def test_opened_values_of_another_shape_are_refused(
    content: bytes, ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = tools.with_manifest(ledger.pack() | {"disclosed.json": content}, ledger.key.name)
    status, report = verify(tools.write_directory(files, tmp_path / "pack"), "--key", key_file)
    assert status == 1 and codes(report) == {"disclosed.form"}


def test_an_unlisted_file_and_a_listed_but_absent_file_are_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    (pack / "extra.txt").write_text("hello")
    (pack / "index.html").unlink()
    status, report = verify(pack, "--key", key_file)
    assert status == 1 and codes(report) == {"pack.unlisted", "pack.missing"}
    assert where(report, "pack.unlisted") == "extra.txt" and where(report, "pack.missing") == "index.html"


def test_a_pack_of_another_ledger_is_refused(ledger: Any, tools: Any, tmp_path: Path, verify: Any) -> None:
    from sojourn.ledger.note import SigningKey

    other = SigningKey.generate("other.example/ledger", bytes(32))
    same_name = SigningKey.generate(ledger.key.name, bytes(32))
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    assert codes(verify(pack, "--key", other.vkey())[1]) == {"manifest.origin"}
    assert codes(verify(pack, "--key", same_name.vkey())[1]) == {"checkpoint.unsigned"}


def test_a_subject_that_has_no_entry_is_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    pack = tools.write_directory(ledger.pack(subject="grant/g-2"), tmp_path / "pack")
    status, report = verify(pack, "--key", key_file)
    assert status == 1 and codes(report) == {"subject.missing"}


def test_an_older_checkpoint_of_the_same_size_has_to_be_the_same(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    older = tmp_path / "older"
    older.write_text(ledger.note())
    assert verify(pack, "--key", key_file, "--since", older)[0] == 0
    older.write_text(ledger.note(5))
    status, report = verify(pack, "--key", key_file, "--since", older)
    assert status == 1 and "a pack cannot prove it" in report["problems"][0]["text"]
    ledger.leaves[0] = bytes(32)
    older.write_text(ledger.note())
    status, report = verify(pack, "--key", key_file, "--since", older)
    assert status == 1 and "history was rewritten" in report["problems"][0]["text"]


def test_links_and_special_files_are_refused_and_never_opened(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    (pack / "grant.json").unlink()
    (pack / "grant.json").symlink_to("/etc/hostname")
    (pack / "loop").symlink_to(".")
    os.mkfifo(pack / "fifo")
    status, report = verify(pack, "--key", key_file)
    unsafe = {problem["where"] for problem in report["problems"] if problem["code"] == "pack.unsafe"}
    assert status == 1 and unsafe == {"grant.json", "loop", "fifo"}


def test_a_name_that_would_deceive_a_terminal_is_escaped(
    ledger: Any, tools: Any, tmp_path: Path, key_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import sojourn_verify

    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    (pack / "a\x1b[2J\u202eb").write_text("x")
    assert sojourn_verify.main([str(pack), "--key", key_file]) == 1
    shown = capsys.readouterr().out
    assert "\\x1b[2J\\u202eb" in shown and shown.isascii()
    assert all(line.isprintable() for line in shown.splitlines())


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a//b", "a/../b", "a\\b", "C:evil", ".hidden", "a\x00b"])
def test_a_zip_with_an_outward_name_is_refused(
    name: str, ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    pack = tmp_path / "pack.zip"
    tools.write_zip(ledger.pack(), pack)
    with zipfile.ZipFile(pack, "a") as archive:
        member = zipfile.ZipInfo("x")
        member.filename = name
        archive.writestr(member, "x")
    status, report = verify(pack, "--key", key_file)
    assert status == 1 and "pack.unsafe" in codes(report), report


def test_a_zip_with_a_repeated_name_or_a_link_is_refused(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = ledger.pack()
    pack = tools.write_zip(files, tmp_path / "pack.zip")
    with zipfile.ZipFile(pack, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("checkpoint", files["checkpoint"])
    assert codes(verify(pack, "--key", key_file)[1]) == {"pack.unsafe"}
    pack = tools.write_zip({p: c for p, c in files.items() if p != "grant.json"}, tmp_path / "link.zip")
    with zipfile.ZipFile(pack, "a") as archive:
        member = zipfile.ZipInfo("grant.json")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, files["grant.json"])
    assert codes(verify(pack, "--key", key_file)[1]) == {"pack.unsafe", "pack.missing"}


def test_a_zip_bomb_is_not_unpacked(ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str) -> None:
    files = ledger.pack()
    files["index.html"] = bytes(50 << 20)
    pack = tools.write_zip(files, tmp_path / "pack.zip")
    status, report = verify(pack, "--key", key_file)
    assert status == 1 and codes(report) == {"pack.altered"} and where(report, "pack.altered") == "index.html"


def test_members_of_a_zip_that_lie_over_each_other_are_refused(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    pack = tools.write_zip(ledger.pack() | {"index.html": bytes(range(256)) * 400}, tmp_path / "pack.zip")
    data = bytearray(pack.read_bytes())
    with zipfile.ZipFile(pack) as archive:
        member = archive.getinfo("grant.json")
    # The directory's record of grant.json: its compressed size stands 20 bytes behind the signature.
    record = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02"))
    while data[record + 46 : record + 46 + len("grant.json")] != b"grant.json":
        record = data.index(b"PK\x01\x02", record + 4)
    assert int.from_bytes(data[record + 20 : record + 24], "little") == member.compress_size
    data[record + 20 : record + 24] = (1 << 30).to_bytes(4, "little")
    pack.write_bytes(data)
    assert verify(pack, "--key", key_file)[0] in (1, 2)
