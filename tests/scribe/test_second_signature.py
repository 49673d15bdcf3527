"""The second signature of the ledger, made by a real scribe and demanded by the verifier of whoever has its key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sojourn_verify
from sojourn.app.installation import second_signing_key
from sojourn.app.verifying import verify_file
from sojourn.errors import Code, SojournError
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, ScribeSettings, SecondSignature, Settings

from .test_rotation import change

SETTINGS = Settings(scribe=ScribeSettings(second_signature=SecondSignature.ML_DSA_44))


def verified(layout: Layout, *keys: Path) -> set[str]:
    verdict = verify_file(layout.ledger, keys=[key.read_text() for key in keys])
    return {problem["code"] for problem in verdict.problems}


def start(layout: Layout, tmp_path: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sojourn", "serve", "--data", str(layout.root), "--only", "scribe"]
    with (tmp_path / "said").open("a") as said:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    for directory in (root := tmp_path / "data", root / "config", root / "run"):
        directory.mkdir(mode=0o700)
    return Layout(root=root)


async def record(layout: Layout, tmp_path: Path, second: str) -> None:
    (layout.configuration / "settings.yaml").write_text(f"scribe: {{second_signature: {second}}}\n")
    with start(layout, tmp_path) as running:
        try:
            async with ScribeClient(layout.scribe_socket) as client:
                await client.connected(30)
                await client.append([change()])
                await client.sign()
        finally:
            running.kill()


async def test_a_scribe_signs_twice_and_who_has_both_keys_demands_both(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(layout, tmp_path, "ml-dsa-44")
    first, second = layout.verifier_key, layout.second_verifier_key
    assert verified(layout, first) == verified(layout, first, second) == set()
    assert verified(layout, second) == {"checkpoint.unsigned", "checkpoint.missing"}, "it never stands alone"
    monkeypatch.setattr(sojourn_verify, "mldsa", None)
    assert "input.library" in verified(layout, first, second), "never passed"
    assert verified(layout, first) == set()
    await record(layout, tmp_path, "none")
    assert verified(layout, first) == set()
    assert "checkpoint.unsigned" in verified(layout, first, second), "a checkpoint without it is not taken"


def test_a_second_key_that_is_gone_or_another_is_not_made_anew(layout: Layout) -> None:
    layout.keys.mkdir(mode=0o700)
    assert second_signing_key(layout, Settings()) is None
    made = second_signing_key(layout, SETTINGS)
    assert made == second_signing_key(layout, SETTINGS)
    file, pin = layout.keys / "second.key", layout.second_verifier_key
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_bytes()
    for altered, code in ((None, Code.SIGNING_UNAVAILABLE), (b"nothing", Code.SIGNING_UNAVAILABLE)):
        file.unlink(missing_ok=True)
        if altered is not None:
            file.touch(0o600)
            file.write_bytes(altered)
        with pytest.raises(SojournError) as refused:
            second_signing_key(layout, SETTINGS)
        assert refused.value.code is code
    pin.rename(pin.with_suffix(".old"))
    file.unlink()
    second_signing_key(layout, SETTINGS)
    file.write_bytes(content)
    with pytest.raises(SojournError) as refused:
        second_signing_key(layout, SETTINGS)
    assert refused.value.code is Code.SIGNING_CHANGED
