"""A stolen signing key: a new ledger follows the old one, and the verifier and the witness tell them apart."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from sojourn.app.compromised import begin_anew
from sojourn.app.installation import prepare, read_settings
from sojourn.app.verifying import verify_file
from sojourn.domain.events import GrantCreated, LedgerBegunAnew
from sojourn.domain.history import Change
from sojourn.domain.identifiers import ORIGIN, GrantId, RequestId, grant_stream
from sojourn.domain.window import Window
from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.note import SigningKey, Verifier
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout
from sojourn.testing.organisation import ALICE, READ, SHOP
from sojourn.testing.witness import WitnessHere
from sojourn.witness.layout import add_log

from .conftest import SECONDS, changes
from .test_process import process

OLD_NAME, NEW_NAME = "sojourn.example/first", "sojourn.example/second"


def installation(root: Path, name: str) -> Layout:
    """A data directory in which Sojourn never ran, which publishes a folder and asks its witness often."""
    for directory in (root, root / "config", root / "run"):
        directory.mkdir(mode=0o700)
    settings = f"scribe: {{origin: {name}}}\npublisher: {{seconds: 0.02}}\nwitness: {{seconds: 0.05}}\n"
    (root / "config" / "settings.yaml").write_text(settings)
    return Layout(root=root)


def policy_of(witness: WitnessHere) -> str:
    return f"witness one {witness.vkey} {witness.url}/\nquorum one\n"


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessHere]:
    made = WitnessHere.make(tmp_path / "witness").start()
    yield made
    made.close()


def sojourn(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sojourn", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS * 2, check=False)


def verify(*arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "sojourn_verify", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS * 2, check=False)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


async def work(layout: Layout, count: int, witness: WitnessHere | None) -> None:
    """Let the installation record so much, publish it, and have it cosigned if there is a witness."""
    with ExitStack() as running:
        running.enter_context(process(layout.root, "scribe"))
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(SECONDS)
            if witness is not None:
                add_log(witness.layout, Verifier.parse(layout.verifier_key.read_text().strip()))
            running.enter_context(process(layout.root, "publisher"))
            size = (await ledger.append(changes(count))).size
            until = time.monotonic() + SECONDS
            reached = [layout.root / "public" / "checkpoint", *([layout.cosigned] if witness is not None else [])]
            while min(map(size_of, reached)) < size:
                assert time.monotonic() < until, f"one of {reached} is behind"
                await asyncio.sleep(0.02)


def size_of(note: Path) -> int:
    return checkpoints.parse(notes.split(note.read_text())[0]).size if note.exists() else 0


async def test_a_new_ledger_follows_one_whose_key_was_stolen_and_the_verifier_links_both(
    tmp_path: Path, witness: WitnessHere
) -> None:
    old, new = installation(tmp_path / "old", OLD_NAME), installation(tmp_path / "new", NEW_NAME)
    for layout in (old, new):
        layout.witness_policy.write_text(policy_of(witness))
    await work(old, 300, witness)
    seen = size_of(old.cosigned)
    told = sojourn("signing-key", "compromised", new.root, "--cause", "laptop stolen", "--data", old.root, "--json")
    assert told.returncode == 0, told.stdout + told.stderr
    said = json.loads(told.stdout)
    assert (said["before"], said["witnessed"], said["live"]) == (seen, True, [])
    again = sojourn("signing-key", "compromised", new.root, "--cause", "laptop stolen", "--data", old.root, "--json")
    assert json.loads(again.stdout) == said, "it may be told again, as after a crash"
    await work(new, 20, witness)

    # The folder may lack what was cosigned in the moment in which its publisher was killed; a copy has everything.
    copy = tmp_path / "copy"
    assert sojourn("audit", "export", "--to", copy, "--data", old.root).returncode == 0
    old_key, new_key = said["old"], said["new"]
    for arguments, state in (
        ((), "not checked, for no key of it was given"),
        (("--key", old_key), "signed by its key"),
        (("--key", old_key, "--follows", copy), "verified up to there"),
    ):
        told_of = verify(new.root / "public", "--key", new_key, *arguments)
        assert told_of["ok"], told_of
        assert told_of["follows"] == f"{OLD_NAME} at {seen:,} entries: {state}"
    assert verify_file(new.ledger, keys=[new_key]).sound
    assert verify(old.root / "public", "--key", old_key)["ok"], "the old ledger is verified as ever"
    assert sojourn("audit", "show", "0", "--data", old.root).returncode == 0, "and can be read"
    assert sojourn("audit", "verify", "--data", old.root).returncode == 0

    policy = tmp_path / "policy"
    policy.write_text(f"log {new_key}\nlog {old_key}\n{policy_of(witness)}")
    assert verify(new.root / "public", "--policy", policy, "--follows", copy)["ok"]
    async with running(new) as ledger:
        (first,) = await ledger.stream(ORIGIN)
        assert isinstance(first.event, LedgerBegunAnew) and first.event.cause == "laptop stolen" and first.seq == 0
        with pytest.raises(SojournError) as refused:
            await ledger.append([Change(stream=ORIGIN, event=first.event, seen=None)])
        assert "Only the scribe itself records ledger.begun_anew" in str(refused.value)


@asynccontextmanager
async def running(layout: Layout) -> AsyncIterator[ScribeClient]:
    """The scribe of an installation, and a client of it."""
    with process(layout.root, "scribe"):
        async with ScribeClient(layout.scribe_socket) as client:
            await client.connected(SECONDS)
            yield client


async def test_who_has_the_stolen_key_can_go_on_with_the_old_ledger_and_alter_nothing_before_the_new_one(
    tmp_path: Path, witness: WitnessHere
) -> None:
    old, new = installation(tmp_path / "old", OLD_NAME), installation(tmp_path / "new", NEW_NAME)
    for layout in (old, new):
        layout.witness_policy.write_text(policy_of(witness))
    await work(old, 50, witness)
    shutil.copytree(old.root, tmp_path / "stolen", ignore=shutil.ignore_patterns("run"))
    told = sojourn("signing-key", "compromised", new.root, "--cause", "theft", "--data", old.root, "--json")
    keys = json.loads(told.stdout)
    stolen = Layout(root=tmp_path / "stolen")
    stolen.run.mkdir(mode=0o700)
    stolen.witness_policy.unlink()
    shutil.rmtree(stolen.root / "public")
    await work(stolen, 30, None)
    await work(new, 5, None)
    both = ("--key", keys["new"], "--key", keys["old"], "--follows")
    assert verify(new.root / "public", *both, stolen.root / "public")["ok"], "it still extends what was vouched for"

    forged = installation(tmp_path / "forged", OLD_NAME)
    forged.keys.mkdir(mode=0o700)
    shutil.copy(old.keys / "signing.key", forged.keys / "signing.key")
    shutil.copy(old.verifier_key, forged.verifier_key)
    await work(forged, 400, None)
    assert verify(forged.root / "public", "--key", keys["old"])["ok"], "alone it looks whole"
    problems = verify(new.root / "public", *both, forged.root / "public")["problems"]
    assert {one["code"] for one in problems} == {"root.altered"}

    refused = sojourn("serve", "--data", old.root)
    assert refused.returncode != 0 and "signing.compromised" in refused.stderr + refused.stdout
    rotated = sojourn("signing-key", "rotate", "--data", old.root)
    assert "signing.compromised" in rotated.stderr + rotated.stdout


async def test_a_witness_does_not_take_one_of_the_two_ledgers_for_the_other(
    tmp_path: Path, witness: WitnessHere
) -> None:
    first, second = SigningKey.generate(OLD_NAME, bytes(32)), SigningKey.generate(NEW_NAME, bytes([1] * 32))
    for key in (first, second):
        assert add_log(witness.layout, key.verifier())
    with pytest.raises(SojournError) as refused:
        add_log(witness.layout, SigningKey.generate(NEW_NAME, bytes(32)).verifier())
    assert refused.value.code is Code.INPUT_INVALID and OLD_NAME in str(refused.value)

    def posted(origin: str, key: SigningKey, old: int, size: int) -> int:
        text = checkpoints.Checkpoint(origin=origin, size=size, root=bytes([size] * 32)).format()
        body = f"old {old}\n\n{notes.sign(text, [key])}".encode()
        return httpx2.post(f"{witness.url}/add-checkpoint", content=body, timeout=10).status_code

    assert posted(OLD_NAME, first, 0, 7) == posted(NEW_NAME, second, 0, 3) == 200
    assert posted(NEW_NAME, first, 3, 9) == posted(OLD_NAME, second, 7, 9) == 403
    assert posted(NEW_NAME, second, 7, 9) == 409, "what it has seen of the old one counts for nothing here"


def begun(layout: Layout) -> Verifier:
    """Give an installation its key, as its first start does."""
    prepare(layout, read_settings(layout))
    return Verifier.parse(layout.verifier_key.read_text().strip())


def refusal(old: Layout, new: Layout, given: Path | None = None) -> str:
    with pytest.raises(SojournError) as refused:
        begin_anew(old, new, cause="theft", given=given, leave_live=False)
    assert refused.value.code is Code.INPUT_INVALID and not old.closed.exists()
    return str(refused.value)


async def test_without_a_witness_somebody_elses_checkpoint_is_needed_and_no_access_may_be_live(tmp_path: Path) -> None:
    old, new = installation(tmp_path / "old", OLD_NAME), installation(tmp_path / "new", NEW_NAME)
    grant = GrantId("g-1")
    created = GrantCreated(
        grant=grant, request=RequestId("r-1"), person=ALICE, target=SHOP, role=READ,
        window=Window.starting(datetime(2026, 3, 2, tzinfo=UTC), timedelta(minutes=30)),
        credential="sojourn_g1", configuration_version=1,
    )  # fmt: skip
    async with running(old) as ledger:
        await ledger.append(changes(4))
        held = tmp_path / "held"
        held.write_text(await ledger.sign())
        await ledger.append([Change(stream=grant_stream(grant), event=created, seen=0)])
    assert "cosigned holds no checkpoint of this ledger" in refusal(old, new)
    old.cosigned.write_text(held.read_text())
    assert "no quorum has cosigned" in refusal(old, new)
    (tmp_path / "other").write_text(held.read_text().replace("\n4\n", "\n5\n"))
    assert "holds no checkpoint of this ledger" in refusal(old, new, tmp_path / "other")
    assert "1 accesses are live, such as g-1" in refusal(old, new, held)
    told = begin_anew(old, new, cause="theft", given=held, leave_live=True)
    assert (told.before.size, told.witnessed, told.unproven, told.live) == (4, False, 1, ("g-1",))


def test_the_new_ledger_shares_nothing_with_the_old_one(tmp_path: Path) -> None:
    old = installation(tmp_path / "old", OLD_NAME)
    begun(old)
    assert "the same name" in refusal(old, installation(tmp_path / "same", OLD_NAME))
    assert "where the old one does" in refusal(old, old)
    busy = installation(tmp_path / "busy", NEW_NAME)
    begun(busy)
    assert "has begun" in refusal(old, busy)
    for layout, name in ((old, OLD_NAME), (new := installation(tmp_path / "new", NEW_NAME), NEW_NAME)):
        s3 = "publisher: {s3: {bucket: worm, prefix: ledger/, endpoint: 'http://localhost:1'}}\n"
        (layout.configuration / "settings.yaml").write_text(f"scribe: {{origin: {name}}}\n{s3}")
    assert "published in one place" in refusal(old, new)


async def test_a_ledger_that_begins_with_something_else_does_not_start(tmp_path: Path) -> None:
    layout = installation(tmp_path / "data", NEW_NAME)
    async with running(layout) as ledger:
        await ledger.append(changes(1))
    said = LedgerBegunAnew(checkpoint="x", vkey="y", witnessed=False, cause="theft", operator="root")
    layout.before.write_bytes(msgspec.json.encode(said))
    with process(layout.root, "scribe") as scribe:
        assert await asyncio.to_thread(scribe.wait, SECONDS) == 1
    assert "record.damaged" in layout.root.with_name("said").read_text()
