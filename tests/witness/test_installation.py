"""An installation with a witness: its checkpoints are cosigned, and a store that was put back does not start."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sojourn.app.anchors import anchors, read_anchors
from sojourn.app.installation import read_settings
from sojourn.app.settled import settings_in_force
from sojourn.app.witnesses import witness_policy
from sojourn.configuration import policy_bytes, settings_bytes
from sojourn.domain.events import CancelRequested, ConfigurationAdopted, WitnessPolicyAdopted
from sojourn.domain.history import Change
from sojourn.domain.identifiers import CONFIGURATION, PUBLICATION, SessionId, session_stream
from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import policy as policies
from sojourn.ledger.note import SigningKey, Verifier
from sojourn.scribe.anchor import Seen
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, Settings
from sojourn.testing.organisation import CAROL, CATALOGUE, ERIN
from sojourn.testing.witness import WitnessHere
from sojourn.witness.layout import add_log
from sojourn.workflow.adopt import catalogue_bytes, load_adopted

pytestmark = pytest.mark.integration
SECONDS = 40.0


@contextmanager
def process(layout: Layout, only: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process of an installation, ended with the block."""
    command = [sys.executable, "-m", "sojourn", "serve", "--data", str(layout.root), "--only", only]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as running:
        try:
            yield running
        finally:
            running.kill()


def attempt(layout: Layout) -> str:
    """What the scribe says when it does not start."""
    command = [sys.executable, "-m", "sojourn", "serve", "--data", str(layout.root), "--only", "scribe"]
    done = subprocess.run(command, stdin=subprocess.PIPE, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 1, done.stderr
    return done.stderr


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An installation that never ran."""
    root = tmp_path / "data"
    for directory in (root, root / "config", root / "run"):
        directory.mkdir(mode=0o700)
    (root / "config" / "settings.yaml").write_text("witness: {seconds: 0.1}\npublisher: {folder: public}\n")
    return Layout(root=root)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessHere]:
    made = WitnessHere.make(tmp_path / "witness").start()
    yield made
    made.close()


def lines_of(witness: WitnessHere) -> tuple[str, ...]:
    return (f"witness outside {witness.vkey} {witness.url}", "quorum outside")


def name_witness(layout: Layout, witness: WitnessHere) -> None:
    layout.witness_policy.write_bytes(policy_bytes(lines_of(witness)))


async def fill(layout: Layout, count: int) -> int:
    """Record so many entries; gives the size."""
    session = SessionId("s-a")
    change = Change(stream=session_stream(session), event=CancelRequested(session=session, source="x"), seen=None)
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(SECONDS)
        await ledger.append([change] * count)
        return await ledger.size()


def cosigned_size(layout: Layout) -> int:
    policy = witness_policy(read_settings(layout))
    assert policy is not None
    if not layout.cosigned.exists():
        return 0
    verifier = Verifier.parse(layout.verifier_key.read_text())
    return policies.accept(policy, layout.cosigned.read_text(), [verifier]).checkpoint.size


def until_cosigned(layout: Layout, size: int) -> None:
    deadline = time.monotonic() + SECONDS
    while cosigned_size(layout) < size:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begin(layout: Layout, witness: WitnessHere) -> None:
    """A first run without a witness: the ledger gets its key, and the witness gets to know it."""
    with process(layout, "scribe"):
        asyncio.run(fill(layout, 5))
    add_log(witness.layout, Verifier.parse(layout.verifier_key.read_text()))
    name_witness(layout, witness)


def witnesses_saw(layout: Layout, verifier: Verifier, settings: Settings | None = None) -> tuple[Seen, ...]:
    """What a start would be told by witnesses."""
    asked = anchors(layout, settings or read_settings(layout), verifier)
    return read_anchors([one for one in asked if one.place.startswith("witness:")], lambda *_, **__: None)


def test_a_store_that_was_put_back_with_everything_beside_it_does_not_start(
    layout: Layout, witness: WitnessHere, tmp_path: Path
) -> None:
    begin(layout, witness)
    shutil.copytree(layout.root, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock"))
    with process(layout, "scribe"), process(layout, "publisher"):
        size = asyncio.run(fill(layout, 300))
        until_cosigned(layout, size)
        adopted = asyncio.run(_adopted(layout))
    assert [event.quorum for event in adopted] == ["outside"]
    # The published folder has it too, for whoever trusts the witness more than us.
    published = (layout.root / "public" / "cosigned").read_text()
    assert checkpoints.open(published, Verifier.parse(layout.verifier_key.read_text())).size >= size
    # The whole data directory is put back as it was: the anchor file with it, and no trace is left on this machine.
    shutil.rmtree(layout.root)
    shutil.copytree(tmp_path / "copy", layout.root)
    said = attempt(layout)
    assert "record.behind" in said and "witness:outside" in said
    # Nor does it help to record until the size is the same again: the witness is asked for the root.
    layout.witness_policy.unlink()
    with process(layout, "scribe"):
        asyncio.run(fill(layout, 600))
    name_witness(layout, witness)
    said = attempt(layout)
    assert "record.damaged" in said and "witness:outside" in said


def test_what_the_witnesses_said_last_counts_also_while_they_are_gone(layout: Layout, witness: WitnessHere) -> None:
    begin(layout, witness)
    before = {path: path.read_bytes() for path in [layout.anchor, *layout.root.glob("ledger.db*")]}
    with process(layout, "scribe"), process(layout, "publisher"):
        until_cosigned(layout, asyncio.run(fill(layout, 50)))
    witness.close()
    for path in layout.root.glob("ledger.db*"):
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)
    # The published folder would tell too; whoever put back the store has thought of it.
    shutil.rmtree(layout.root / "public")
    said = attempt(layout)
    assert "record.behind" in said and str(layout.cosigned) in said


def test_a_start_waits_for_no_witness_that_hangs(layout: Layout, witness: WitnessHere) -> None:
    begin(layout, witness)
    witness.stop()
    verifier = Verifier.parse(layout.verifier_key.read_text())
    begun = time.monotonic()
    settings = read_settings(layout)
    settings = replace(settings, witness=replace(settings.witness, answer_seconds=0.5))
    assert witnesses_saw(layout, verifier, settings) == ()
    assert 0.4 < time.monotonic() - begun < 5
    with process(layout, "scribe"):
        asyncio.run(fill(layout, 1))


def test_a_witness_that_is_asked_tells_what_it_has_cosigned(layout: Layout, witness: WitnessHere) -> None:
    begin(layout, witness)
    verifier = Verifier.parse(layout.verifier_key.read_text())
    assert witnesses_saw(layout, verifier) == ()
    with process(layout, "scribe"), process(layout, "publisher"):
        size = asyncio.run(fill(layout, 3))
        until_cosigned(layout, size)
    layout.cosigned.unlink()
    (seen,) = witnesses_saw(layout, verifier)
    assert seen.place == "witness:outside" and seen.checkpoint.size >= size


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("quorum all\n", "not defined above"),
        ("witness w VKEY\nquorum w\n", "no address"),
        ("witness w VKEY ftp://w/\nquorum w\n", "no address"),
    ],
)
def test_a_policy_that_cannot_be_used_is_told_before_anything_starts(
    layout: Layout, witness: WitnessHere, text: str, problem: str
) -> None:
    layout.witness_policy.write_text(text.replace("VKEY", witness.vkey))
    with pytest.raises(SojournError) as caught:
        read_settings(layout)
    assert caught.value.code is Code.WITNESS_POLICY_INVALID and problem in caught.value.refusal.sentence


def test_comments_and_space_in_a_policy_are_nobodys_decision(layout: Layout, witness: WitnessHere) -> None:
    text = "# ours\nlog {log}\n\n  witness\toutside   {vkey} {url}  \n# the quorum\nquorum outside"
    log = SigningKey.generate("a.example/log", bytes(32)).verifier().vkey()
    plain = f"log {log}\nwitness outside {witness.vkey} {witness.url}\nquorum outside\n"
    layout.witness_policy.write_text(text.format(log=log, vkey=witness.vkey, url=witness.url))
    assert policy_bytes(read_settings(layout).witness.policy) == plain.encode()


def test_witnesses_of_an_earlier_release_are_asked_as_the_record_says_and_not_as_the_file_does(
    layout: Layout, witness: WitnessHere, tmp_path: Path
) -> None:
    before = policy_bytes(lines_of(witness))
    with process(layout, "scribe"):
        asyncio.run(_as_an_earlier_release(layout, before))
    layout.witness_policy.write_text("quorum none\n")
    told: list[SojournError] = []
    assert settings_in_force(layout, told.append).witness.policy == lines_of(witness)
    assert [error.code for error in told] == [Code.SETTINGS_NOT_IN_FORCE] and "witness.policy" in str(told[0])


async def _as_an_earlier_release(layout: Layout, policy: bytes) -> None:
    """Two administrators, settings that say nothing of witnesses, and the policy that was read from the file."""
    people = tuple(replace(one, administrator=one.id in (ERIN, CAROL)) for one in CATALOGUE.people)
    catalogue = catalogue_bytes(replace(CATALOGUE, people=people))
    held = json.loads(settings_bytes(read_settings(layout)))
    del held["witness"]["policy"]
    settings = json.dumps(held).encode()
    adopted = ConfigurationAdopted(
        catalogue_sha256=hashlib.sha256(catalogue).hexdigest(),
        files=(),
        operator="root",
        settings_sha256=hashlib.sha256(settings).hexdigest(),
    )
    witnesses = WitnessPolicyAdopted(sha256=hashlib.sha256(policy).hexdigest(), quorum="outside", witnesses=())
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(SECONDS)
        change = Change(stream=CONFIGURATION, event=adopted, seen=0)
        await ledger.append([change], attachments=[catalogue, settings])
        assert (await load_adopted(ledger)) is not None
        await ledger.append([Change(stream=PUBLICATION, event=witnesses, seen=None)], attachments=[policy])


async def _adopted(layout: Layout) -> list[WitnessPolicyAdopted]:
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(SECONDS)
        events = [one.event for one in await ledger.stream(PUBLICATION)]
    return [event for event in events if isinstance(event, WitnessPolicyAdopted)]
