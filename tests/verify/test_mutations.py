"""Every byte counts: a pack or a store with any one byte changed is never passed as verified."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import sojourn_verify
from sojourn.app.store_check import open_store, verify_rows
from sojourn.app.verifying import verify_file
from sojourn_verify import CheckError, Trust, Verification


@pytest.fixture
def small(signing_key: Any, tools: Any) -> Any:
    """Four entries, one attachment, one sealed value."""
    made = tools.new_ledger(key=signing_key)
    made.append("request/r-1", "request.submitted", {"by": "alice"})
    made.append("grant/g-1", "grant.created", {"attached": made.attach(b"terms")})
    made.append(
        "session/s-1", "statement.intended", {"statement": {"commitment": made.seal(b"select 1"), "key": "k-1"}}
    )
    made.append("grant/g-1", "grant.ended", {"rows": 12})
    return made


def mutations(content: bytes) -> Iterator[bytes]:
    """The content with each byte changed in turn, in two ways, and cut or grown by one byte."""
    for place in range(len(content)):
        for mask in (0x01, 0x20):
            altered = bytearray(content)
            altered[place] ^= mask
            yield bytes(altered)
    yield content[:-1]
    yield content + b"\n"


def findings(files: dict[str, bytes], key: Any) -> int:
    run = Verification(Trust([key]), files={path: partial(io.BytesIO, content) for path, content in files.items()})
    with run.at("pack"):
        run.pack()
    return run.found


def test_each_changed_byte_of_a_pack_is_found(small: Any) -> None:
    key, files = sojourn_verify.Key.parse(small.key.vkey(), sojourn_verify.LOG), small.pack()
    assert findings(files, key) == 0
    missed = [
        path
        for path, content in files.items()
        for altered in mutations(content)
        if findings(files | {path: altered}, key) == 0
    ]
    assert missed == []


def test_each_changed_byte_of_what_is_signed_is_found_even_if_the_manifest_fits(small: Any, tools: Any) -> None:
    key, files = sojourn_verify.Key.parse(small.key.vkey(), sojourn_verify.LOG), small.pack()
    bound = [path for path in files if path.startswith(("entries/", "attachments/"))] + ["checkpoint", "disclosed.json"]
    missed = []
    for path in bound:
        for altered in mutations(files[path]):
            if findings(tools.with_manifest(files | {path: altered}, small.key.name), key) == 0:
                missed.append((path, altered))
    assert missed == []


def test_a_sample_of_changed_bytes_on_disk_gives_status_1_or_2_and_no_traceback(
    small: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = small.pack()
    pack = tools.write_directory(files, tmp_path / "pack")
    for path, content in files.items():
        for altered in list(mutations(content))[::101]:
            (pack / path).write_bytes(altered)
            assert verify(pack, "--key", key_file)[0] in (1, 2), path
        (pack / path).write_bytes(content)
    assert verify(pack, "--key", key_file)[0] == 0


def test_a_zip_with_a_changed_byte_is_refused_or_holds_the_same_files(
    small: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    import zipfile

    files = small.pack()
    whole = tools.write_zip(files, tmp_path / "pack.zip").read_bytes()
    altered_zip = tmp_path / "altered.zip"
    passed = 0
    for altered in list(mutations(whole))[::7]:
        altered_zip.write_bytes(altered)
        status = verify(altered_zip, "--key", key_file)[0]
        assert status in (0, 1, 2)
        if status == 0:  # a date, a version or an attribute: the files themselves have to be as they were
            passed += 1
            with zipfile.ZipFile(altered_zip) as archive:
                assert {name: archive.read(name) for name in archive.namelist()} == files
    assert passed < len(whole) // 7


COLUMNS = [
    ("batch", "first"), ("batch", "count"), ("batch", "leaves"), ("batch", "entries"), ("checkpoint", "size"),
    ("checkpoint", "note"), ("attachment", "sha256"), ("attachment", "bytes"), ("sealed", "commitment"),
]  # fmt: skip


def store_findings(connection: sqlite3.Connection, key: Any) -> int:
    run = Verification(Trust([key]))
    with run.at("store"):
        verify_rows(connection, run)
    return run.found


def other_values(value: Any) -> Iterator[object]:
    if isinstance(value, int):
        yield from (value + 1, value - 1, value + 1000, None, "x", 1.5)
    else:
        content = value.encode() if isinstance(value, str) else value
        for altered in mutations(content):
            yield altered.decode(errors="replace") if isinstance(value, str) else altered
        yield from (None, b"", 7, 1.5)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_each_changed_byte_of_each_cell_of_a_store_is_found(table: str, column: str, small: Any) -> None:
    key = sojourn_verify.Key.parse(small.key.vkey(), sojourn_verify.LOG)
    connection = sqlite3.connect(":memory:")
    small.fill_store(connection, 2, 4)
    connection.text_factory = bytes
    assert store_findings(connection, key) == 0
    connection.text_factory = str
    cells = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
    tried = 0
    for rowid, value in cells:
        for other in other_values(value):
            try:
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (other, rowid))
            except sqlite3.DatabaseError:
                continue  # the schema itself refuses this value
            tried += 1
            connection.text_factory = bytes
            assert store_findings(connection, key) > 0, (table, column, rowid, other)
            connection.text_factory = str
            connection.rollback()
    connection.close()
    assert tried >= len(cells)


def test_a_store_file_with_a_changed_byte_is_refused_or_says_the_same(small: Any, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA page_size = 512")
    small.fill_store(connection, 2, 4)
    connection.close()

    def said() -> list[Any]:
        with open_store(path) as opened:
            tables = [(table, column) for table, column in COLUMNS]
            return [
                opened.execute(f"SELECT {column} FROM {table} ORDER BY rowid").fetchall() for table, column in tables
            ]

    whole, before = path.read_bytes(), said()
    places = [place for place in range(len(whole)) if whole[place]][::9]
    statuses = set[bool]()
    for place in places:
        altered = bytearray(whole)
        altered[place] ^= 0x01
        path.write_bytes(altered)
        found = verify_file(path, keys=[small.key.vkey()])
        statuses.add(found.sound)
        assert not found.sound or said() == before, f"byte {place} changed what the store says, and it was passed"
    assert False in statuses


def test_a_failed_check_carries_a_code_and_a_sentence() -> None:
    with pytest.raises(CheckError) as caught:
        sojourn_verify.read_entry(b"{}")
    assert caught.value.args == ("entry.form", "it does not have the form of an entry")
