"""A whole scribe whose signing key is kept in a token or a transit engine, and what happens when that goes away."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from sojourn.app.verifying import verify_file
from sojourn.codes import Code
from sojourn.domain.events import CancelRequested
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout

from .conftest import PIN, Bao, Token

POLICY = """
path "transit/keys/{key}" {{ capabilities = ["read"] }}
path "transit/sign/{key}" {{ capabilities = ["update"] }}
"""
"""What docs/how-to/keep-the-signing-key-in-an-hsm.md tells people to grant."""

BACK_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Who keeps the key: its address, another key's address, its PIN or token, and how it goes away and comes back."""

    address: str
    other: str
    pin: str
    leave: Callable[[], object]
    come_back: Callable[[], object]


def token_keeper(token: Token) -> Keeper:
    one, other = f"one-{secrets.token_hex(4)}", f"other-{secrets.token_hex(4)}"
    for label in (one, other):
        token.generate(label)
    tokens = Path(os.environ["SOFTHSM2_CONF"]).with_name("tokens")
    aside = tokens.with_name("tokens-aside")
    return Keeper(
        address=token.address(one),
        other=token.address(other),
        pin=PIN,
        leave=lambda: tokens.rename(aside),
        come_back=lambda: aside.rename(tokens),
    )


def engine_keeper(bao: Bao) -> Keeper:
    one, other = f"one-{secrets.token_hex(4)}", f"other-{secrets.token_hex(4)}"
    for key in (one, other):
        bao.call("POST", f"transit/keys/{key}", {"type": "ed25519"})
    bao.call("POST", "sys/policies/acl/scribe", {"policy": POLICY.format(key=one) + POLICY.format(key=other)})
    granted = bao.call("POST", "auth/token/create", {"policies": ["scribe"]}).json()["auth"]["client_token"]
    return Keeper(
        address=bao.address(one),
        other=bao.address(other),
        pin=granted,
        leave=lambda: bao.process.send_signal(signal.SIGSTOP),
        come_back=lambda: bao.process.send_signal(signal.SIGCONT),
    )


@pytest.fixture(params=["token", "engine"])
def keeper(request: pytest.FixtureRequest) -> Keeper:
    if request.param == "token":
        return token_keeper(request.getfixturevalue("token"))
    return engine_keeper(request.getfixturevalue("bao"))


@contextmanager
def away(keeper: Keeper) -> Iterator[None]:
    keeper.leave()
    try:
        yield
    finally:
        keeper.come_back()


def installation(root: Path, address: str, pin: str) -> Layout:
    layout = Layout(root=root)
    (layout.configuration / "secrets").mkdir(parents=True, exist_ok=True)
    root.chmod(0o700)
    secret = layout.configuration / "secrets" / "signing_key"
    secret.touch(0o600)
    secret.write_text(f"{pin}\n")
    settings = f'scribe: {{origin: example.com/kept, checkpoint_seconds: 0.1, signing_key: "{address}"}}\n'
    (layout.configuration / "settings.yaml").write_text(settings)
    layout.run.mkdir(mode=0o700, exist_ok=True)
    return layout


def command(layout: Layout) -> list[str]:
    return [sys.executable, "-m", "sojourn", "serve", "--data", str(layout.root), "--only", "scribe"]


@contextmanager
def scribe(layout: Layout) -> Iterator[subprocess.Popen[str]]:
    """One scribe, ended in order with the block. What it says lies beside the data directory."""
    with layout.root.with_name("said").open("a") as said:
        running = subprocess.Popen(
            command(layout), stdin=subprocess.PIPE, stderr=said, text=True, start_new_session=True
        )
        try:
            yield running
            running.communicate(timeout=20)
        finally:
            running.kill()
            running.wait()


def failed_start(layout: Layout) -> str:
    """What a start that fails says."""
    done = subprocess.run(
        command(layout), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    return done.stderr


async def record(ledger: ScribeClient, name: str) -> int:
    session = SessionId(f"s-{name}")
    event = CancelRequested(session=session, source="here")
    receipt = await ledger.append([Change(stream=session_stream(session), event=event, seen=None)])
    return receipt.first


async def signed(ledger: ScribeClient, layout: Layout) -> Checkpoint:
    return checkpoints.open(await ledger.sign(), Verifier.parse(layout.verifier_key.read_text()))


async def signed_again(ledger: ScribeClient, layout: Layout) -> Checkpoint:
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        try:
            return await signed(ledger, layout)
        except SojournError as error:
            assert error.code is Code.SIGNING_UNAVAILABLE
            assert time.monotonic() < deadline, "the key did not come back"
            await asyncio.sleep(0.1)


async def test_a_scribe_records_while_its_key_is_away_and_signs_when_it_is_back(keeper: Keeper, tmp_path: Path) -> None:
    layout = installation(tmp_path / "data", keeper.address, keeper.pin)
    with scribe(layout) as running:
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(20)
            assert await record(ledger, "before") == 0
            assert (await signed(ledger, layout)).size == 1
            with away(keeper):
                for number in range(1, 40):
                    assert await record(ledger, f"away-{number}") == number
                    await asyncio.sleep(0.05)
                with pytest.raises(SojournError) as error:
                    await ledger.sign()
                assert error.value.code is Code.SIGNING_UNAVAILABLE
                assert running.poll() is None
            assert (await signed_again(ledger, layout)).size == 40
    said = (tmp_path / "said").read_text()
    assert said.count("signing.unavailable") == 1, "told once, not at each time that it was asked"
    assert "the signing key is back" in said
    assert running.returncode == 0
    assert not (layout.keys / "signing.key").exists()
    assert "example.com/kept" in layout.verifier_key.read_text()
    assert keeper.pin not in said


async def test_a_scribe_that_ends_while_its_key_is_away_loses_nothing(keeper: Keeper, tmp_path: Path) -> None:
    layout = installation(tmp_path / "data", keeper.address, keeper.pin)
    with scribe(layout) as running:
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(20)
            await record(ledger, "before")
            await signed(ledger, layout)
            with away(keeper):
                await record(ledger, "away")
                assert running.stdin is not None
                running.stdin.close()
                running.stdin = None
                await asyncio.to_thread(running.wait, 20)
                assert running.returncode == 0
                assert "signing.unavailable" in failed_start(layout)
    with scribe(layout):
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(20)
            assert (await signed(ledger, layout)).size == 2


def signing_key_command(layout: Layout, word: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "sojourn", "signing-key", word, "--data", str(layout.root), "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, str] = json.loads(done.stdout)
    return told


def rotating(layout: Layout, present: str, following: str, pin: str) -> None:
    """The settings during a change of keys: where the present key lies, and where the next one does."""
    settings = f'signing_key: "{present}", next_signing_key: "{following}"'
    (layout.configuration / "settings.yaml").write_text(f"scribe: {{origin: example.com/kept, {settings}}}\n")
    for name in ("signing_key", "next_signing_key"):
        secret = layout.configuration / "secrets" / name
        secret.touch(0o600)
        secret.write_text(f"{pin}\n")


async def sign_something(layout: Layout, name: str) -> str:
    with scribe(layout):
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(20)
            await record(ledger, name)
            return await ledger.sign()


def opens(note: str, vkey: str) -> bool:
    with suppress(LedgerError):
        checkpoints.open(note, Verifier.parse(vkey))
        return True
    return False


@pytest.mark.parametrize("way", ["from a file into it", "within it", "from it into a file"])
async def test_a_key_is_changed_into_and_out_of_a_keeper_by_the_two_commands(
    way: str, keeper: Keeper, tmp_path: Path
) -> None:
    present = "file" if way == "from a file into it" else keeper.address
    following = "file" if way == "from it into a file" else keeper.other
    layout = installation(tmp_path / "data", present, keeper.pin)
    old = layout_key = ""
    first = await sign_something(layout, "first")
    old = layout.verifier_key.read_text().strip()
    rotating(layout, present, following, keeper.pin)
    begun = signing_key_command(layout, "rotate")
    assert begun["old"] == old != begun["new"]
    both = await sign_something(layout, "both")
    assert opens(first, old) and opens(both, old) and opens(both, begun["new"])
    assert signing_key_command(layout, "finish") == {"new": begun["new"], "signing_key": following}
    assert not (layout.keys / "next.key").exists()
    assert (layout.keys / "signing.key").exists() is (following == "file"), "the key in the old file is deleted"
    installation(layout.root, following, keeper.pin)
    last = await sign_something(layout, "last")
    layout_key = layout.verifier_key.read_text().strip()
    assert layout_key == begun["new"] and opens(last, layout_key) and not opens(last, old)
    for key in (old, layout_key):
        assert verify_file(layout.ledger, keys=[key]).sound
    if present != following:
        installation(layout.root, present, keeper.pin)
        assert "signing." in failed_start(layout), "the old key signs nothing any more"


async def test_a_start_with_another_key_is_refused(keeper: Keeper, tmp_path: Path) -> None:
    layout = installation(tmp_path / "data", keeper.address, keeper.pin)
    with scribe(layout):
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(20)
            await record(ledger, "first")
            await signed(ledger, layout)
    pinned = layout.verifier_key.read_text()
    installation(layout.root, keeper.other, keeper.pin)
    said = failed_start(layout)
    assert "signing.changed" in said and pinned.strip() in said
    layout.verifier_key.unlink()
    said = failed_start(layout)
    assert "signing.changed" in said and str(layout.anchor) in said
    assert not layout.verifier_key.exists()
    installation(layout.root, "file", keeper.pin)
    assert "signing.unavailable" in failed_start(layout)
    installation(layout.root, keeper.address, keeper.pin)
    with scribe(layout):
        async with ScribeClient(layout.scribe_socket) as ledger:
            await ledger.connected(20)
            await record(ledger, "second")
            assert (await signed(ledger, layout)).size == 2
    assert layout.verifier_key.read_text() == pinned
