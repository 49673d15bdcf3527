"""Private files: whole or not at all, made once, and refused when others can read them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sojourn.errors import Code, SojournError
from sojourn.vault.files import create_private, read_private, write_private
from sojourn.vault.keys import ensure_key_pair
from sojourn.vault.secrets import read_secret


def _private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_a_written_file_is_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_private(tmp_path / "key", b"one")
        write_private(tmp_path / "key", b"two")
    finally:
        os.umask(old)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert read_private(tmp_path / "key") == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_of_many_who_create_a_file_at_once_one_succeeds_and_nothing_else_is_ever_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    contents = [bytes([number]) * 5000 for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda content: create_private(path, content), contents))
    assert created.count(True) == 1
    assert read_private(path) == contents[created.index(True)]
    assert [one.name for one in tmp_path.iterdir()] == ["key"]


def test_processes_that_make_a_key_pair_at_once_all_get_the_same_one(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from sojourn.vault.keys import ensure_key_pair; "
        "print(ensure_key_pair(pathlib.Path(sys.argv[1]), 'evidence').public.public_bytes_raw().hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    keys = {process.communicate(timeout=60)[0] for process in started}
    assert len(keys) == 1
    assert len(keys.pop().strip()) == 64


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o601])
def test_a_key_that_others_can_reach_is_refused_with_the_command_that_helps(tmp_path: Path, mode: int) -> None:
    ensure_key_pair(tmp_path, "evidence")
    (tmp_path / "evidence.key").chmod(mode)
    with pytest.raises(SojournError) as raised:
        ensure_key_pair(tmp_path, "evidence")
    assert raised.value.code is Code.DATA_DIRECTORY_OPEN
    assert f"chmod go-rwx {tmp_path}/evidence.key" in raised.value.refusal.next_step


def test_a_key_pair_is_kept(tmp_path: Path) -> None:
    first = ensure_key_pair(tmp_path, "evidence").public.public_bytes_raw()
    assert ensure_key_pair(tmp_path, "evidence").public.public_bytes_raw() == first
    assert ensure_key_pair(tmp_path, "gateway").public.public_bytes_raw() != first


def test_a_key_pair_does_not_show_its_private_half(tmp_path: Path) -> None:
    assert "private" not in repr(ensure_key_pair(tmp_path, "evidence"))


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_damaged_key_is_named_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    path = _private(tmp_path / "evidence.key", content)
    with pytest.raises(SojournError) as raised:
        ensure_key_pair(tmp_path, "evidence")
    assert raised.value.code is Code.CONFIGURATION_INVALID
    assert str(path) in raised.value.refusal.sentence
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"pass word", b"pass word\n", b"pass word\r\n"])
def test_a_secret_is_read_without_its_line_end(tmp_path: Path, content: bytes) -> None:
    _private(tmp_path / "shop", content)
    assert read_secret(tmp_path, "shop") == "pass word"


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb\n", b"\xff\xfe", b"a\x00b"])
def test_a_secret_that_is_not_one_line_of_text_is_refused_without_being_shown(tmp_path: Path, content: bytes) -> None:
    _private(tmp_path / "shop", content)
    with pytest.raises(SojournError) as raised:
        read_secret(tmp_path, "shop")
    assert raised.value.code is Code.CONFIGURATION_INVALID
    assert "a\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["", "..", ".", "../shop", "/etc/passwd", "a/b", "Shop", "shop\n", "a" * 65, "é"])
def test_a_secret_is_never_looked_for_outside_its_folder(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "secrets"
    inside.mkdir()
    _private(tmp_path / "shop", b"outside")
    with pytest.raises(SojournError) as raised:
        read_secret(inside, name)
    assert raised.value.code is Code.CONFIGURATION_MISSING


def test_a_missing_secret_a_folder_and_a_pipe_are_missing_secrets(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("nothing", "folder", "pipe"):
        with pytest.raises(SojournError) as raised:
            read_secret(tmp_path, name)
        assert raised.value.code is Code.CONFIGURATION_MISSING


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    _private(tmp_path / "shop", b"hunter2").chmod(0o644)
    with pytest.raises(SojournError) as raised:
        read_secret(tmp_path, "shop")
    assert raised.value.code is Code.DATA_DIRECTORY_OPEN
    assert "hunter2" not in str(raised.value)
