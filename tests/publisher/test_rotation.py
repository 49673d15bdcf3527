"""An installation changes its signing key, and those who hold the old key or the new one follow."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from sojourn.app.exporting import export
from sojourn.app.installation import prepare, read_settings, signing_key
from sojourn.app.rotating import finish, rotate
from sojourn.app.verifying import verify_file
from sojourn.domain.events import LedgerKeyRotated, RecordsDisposed
from sojourn.domain.history import Change
from sojourn.domain.identifiers import KEEPING, LEDGER, DisposalId, PersonId
from sojourn.errors import SojournError
from sojourn.evidence.certificate import certificate_of
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey, Verifier
from sojourn.publisher.follow import follow_folder
from sojourn.scribe.client import ScribeClient, read_entry
from sojourn.settings import Layout
from sojourn.testing.scribe import KEY

from .conftest import SECONDS, Desk, changes
from .test_bucket import Remote, remote  # noqa: F401 - a fixture
from .test_process import installation, process

NEW = SigningKey.generate(KEY.name, b"\x08" * 32)


def sojourn(*arguments: str) -> str:
    command = [sys.executable, "-m", "sojourn", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def verified(what: Path, vkey: str) -> bool:
    if what.suffix == ".db":
        return verify_file(what, keys=[vkey]).sound
    command = [sys.executable, "-m", "sojourn_verify", str(what), "--key", vkey.strip()]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def signed_by(note: Path, vkey: str) -> bool:
    try:
        checkpoints.open(note.read_text(), Verifier.parse(vkey))
    except LedgerError:
        return False
    return True


def published_size(root: Path) -> int:
    note = root / "public" / "checkpoint"
    return checkpoints.parse(notes.split(note.read_text())[0]).size if note.exists() else 0


async def work(root: Path, *only: str) -> None:
    """Let processes of the installation run until something that was recorded is signed, and published."""
    layout = Layout(root=root)
    with ExitStack() as running:
        processes = [running.enter_context(process(root, one)) for one in only]
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(SECONDS)
            size = (await ledger.append(changes(300))).size
            note = await ledger.sign()
            until = time.monotonic() + SECONDS
            while "publisher" in only and published_size(root) < size:
                assert time.monotonic() < until, "nothing was published"
                await asyncio.sleep(0.02)
            assert checkpoints.parse(notes.split(note)[0]).size >= size
        for one in reversed(processes):
            await asyncio.to_thread(one.communicate, timeout=SECONDS)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(SojournError) as error:
        call()
    return str(error.value)


def not_finished(layout: Layout) -> str:
    return refused(lambda: finish(layout, print))


async def test_an_installation_changes_its_key_and_old_and_new_roots_of_trust_lead_to_all_of_it(tmp_path: Path) -> None:
    root = installation(tmp_path / "data")
    layout, public = Layout(root=root), root / "public"
    await work(root, "scribe", "publisher")
    old = layout.verifier_key.read_text()
    assert "No key is being changed" in not_finished(layout)
    begun = rotate(layout)
    new = layout.next_verifier_key.read_text()
    assert (begun.old.vkey(), begun.new.vkey()) == (old.strip(), new.strip()) and old != new
    assert rotate(layout) == begun, "it is told again"
    assert "has not signed yet" in not_finished(layout)
    early = (public / "checkpoint").read_bytes()
    await work(root, "scribe", "publisher")
    both = (public / "checkpoint").read_bytes()
    assert signed_by(public / "checkpoint", old) and signed_by(public / "checkpoint", new)
    (public / "checkpoint").write_bytes(early)
    assert f"{public} has only what the old key has signed" in not_finished(layout)
    (public / "checkpoint").write_bytes(both)
    finish(layout, print)
    assert layout.verifier_key.read_text() == new and not layout.next_verifier_key.exists()
    assert SigningKey.parse((layout.keys / "signing.key").read_text()).vkey() == new.strip()
    assert not (layout.keys / "next.key").exists()
    await work(root, "scribe", "publisher")
    assert not signed_by(public / "checkpoint", old) and signed_by(public / "checkpoint", new)
    export(layout, tmp_path / "copy")
    for what in (public, tmp_path / "copy", layout.ledger):
        assert verified(what, old) and verified(what, new), what
    (public / "rotations").unlink()
    assert verified(public, new) and not verified(public, old), "nothing but the statement leads there"


async def test_a_finish_that_was_cut_short_is_finished_by_the_next_one(tmp_path: Path) -> None:
    root, data = installation(tmp_path / "data"), ("--data", str(tmp_path / "data"))
    layout = Layout(root=root)
    (layout.configuration / "settings.yaml").write_text('publisher: {folder: ""}\n')
    await work(root, "scribe")
    assert (
        json.loads(sojourn("signing-key", "rotate", "--json", *data))["old"] == layout.verifier_key.read_text().strip()
    )
    await work(root, "scribe")
    new = layout.next_verifier_key.read_text()
    layout.verifier_key.write_text(new)  # as a crash after the first step leaves it
    assert "signing.changed" in refused(lambda: signing_key(layout, read_settings(layout)))
    assert new.strip() in sojourn("signing-key", "finish", *data)
    assert signing_key(layout, read_settings(layout)).vkey() == new.strip()


async def test_folder_bucket_and_packs_carry_the_change(desk: Desk, remote: Remote, tmp_path: Path) -> None:  # noqa: F811
    await desk.ledger.append(changes(10))
    await asyncio.to_thread(desk.scribe.stop)
    desk.scribe.keys = (KEY, NEW)
    desk.scribe.start()
    await desk.ledger.connected(SECONDS)
    disposed = RecordsDisposed(
        disposal=DisposalId("d-1"), disposed_by=PersonId("anna"), classes=(), holds=(), register_version=0, source="cli"
    )
    await desk.ledger.append([Change(stream=KEEPING, event=disposed, seen=None)])
    (recorded,) = await desk.ledger.stream(LEDGER)
    assert isinstance(recorded.event, LedgerKeyRotated)
    statement = recorded.event.statement.encode()
    async with desk.running(follow_folder, remote.task()):
        await desk.until(lambda: (seen := desk.seen.get(remote.bucket.place)) is not None and seen.published >= 12)
    assert (desk.folder / "rotations").read_bytes() == statement
    (name,) = remote.names("rotations/")
    assert name == f"rotations/{10:016}" and remote.read(name) == statement
    mode, life = remote.lock(name)
    assert mode == "COMPLIANCE" and life > timedelta(days=2600)
    await asyncio.to_thread(desk.scribe.stop)
    desk.scribe.keys = (NEW,)
    desk.scribe.start()
    await desk.ledger.connected(SECONDS)
    await desk.ledger.append(changes(1))
    pack = await certificate_of("d-1", ledger=desk.ledger, read_entry=read_entry, cosigned=lambda: "")
    (tmp_path / "pack.zip").write_bytes(pack)
    assert verified(tmp_path / "pack.zip", KEY.vkey()) and verified(tmp_path / "pack.zip", NEW.vkey())


@pytest.mark.parametrize("problem", ["the same key", "no key"])
def test_a_change_to_a_key_that_will_not_do_is_refused(problem: str, tmp_path: Path) -> None:
    layout = Layout(root=installation(tmp_path / "data"))
    prepare(layout, read_settings(layout))
    present = (layout.keys / "signing.key").read_bytes()
    (layout.keys / "next.key").touch(0o600)
    (layout.keys / "next.key").write_bytes(present if problem == "the same key" else b"nothing\n")
    assert ("settings.invalid" if problem == "the same key" else "signing.unavailable") in refused(
        lambda: rotate(layout)
    )
    assert not layout.next_verifier_key.exists()
