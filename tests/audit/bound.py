"""A ledger with everything in it that is bound by entries: attachments, sealed values, and a time stamp."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sojourn.domain.events import ActionIntended, CheckpointStamped
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PUBLICATION, SessionId, session_stream
from sojourn.domain.sealed import RecordClass, Sealing
from sojourn.publisher.token import ask_for, check_token, read_roots
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, ScribeSettings
from sojourn.testing.scribe import KEY, ScribeProcess
from sojourn.testing.timestamp import TimestampAuthority
from sojourn.vault.keys import ensure_key_pair
from sojourn.vault.sealer import Sealer

from .conftest import ATTACHED, changes

BEFORE = 200
SESSION = SessionId("s-2")


def stamped(authority: TimestampAuthority, note: str, size: int) -> tuple[CheckpointStamped, list[bytes]]:
    """A stamp over a checkpoint, and its attachments."""
    content, pem = note.encode(), authority.root_pem.read_bytes()
    answer = authority.answer(ask_for(content).data)
    event = CheckpointStamped(
        place="timestamp:test",
        size=size,
        time=check_token(answer, content, read_roots(pem)),
        checkpoint_sha256=hashlib.sha256(content).hexdigest(),
        token_sha256=hashlib.sha256(answer).hexdigest(),
        root_sha256=hashlib.sha256(pem).hexdigest(),
    )
    return event, [content, answer, pem]


def statements(sealings: list[Sealing]) -> list[Change]:
    """Statements of one session, each with its sealed text."""
    stream = session_stream(SESSION)
    return [
        Change(
            stream=stream,
            event=ActionIntended(
                session=SESSION,
                number=number,
                protocol="postgres",
                verb="read",
                may_write=False,
                objects=("shop.orders",),
                detail=sealing.sealed,
            ),
            seen=None,
        )
        for number, sealing in enumerate(sealings, 1)
    ]


async def write(ledger: ScribeClient, layout: Layout, authority: TimestampAuthority, lie: timedelta) -> None:
    """Everything, in order."""
    written = changes()
    await ledger.append(written[:BEFORE], attachments=[ATTACHED])
    event, attachments = stamped(authority, await ledger.sign(), BEFORE)
    change = Change(stream=PUBLICATION, event=replace(event, time=event.time + lie), seen=None)
    await ledger.append([change], attachments=attachments)
    await ledger.append(written[BEFORE:])
    pair = ensure_key_pair(layout.keys, "evidence")
    sealer = Sealer(recipient="evidence", public=pair.public, random_bytes=secrets.token_bytes)
    sealings = [
        sealer.seal(person, b"SELECT %d" % number, RecordClass.STATEMENT)
        for number, person in enumerate(["alice", "bob"] * 2)
    ]
    await ledger.append(statements(sealings), sealings=sealings)
    await ledger.sign()


async def fill(root: Path, authority: TimestampAuthority, store: str = "", lie: timedelta = timedelta()) -> Layout:
    """Let a scribe write it, to a file or to the database at `store`. With a `lie` the entry of the stamp says another
    time than its token.
    """
    scribe = ScribeProcess(root, ScribeSettings(checkpoint_seconds=0.2, store=store))
    layout = scribe.layout
    layout.keys.mkdir(mode=0o700, parents=True)
    scribe.start()
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(20)
        await write(ledger, layout, authority, lie)
    assert scribe.stop()[0] == 0
    layout.configuration.mkdir()
    layout.root.chmod(0o700)
    layout.verifier_key.write_text(KEY.vkey() + "\n")
    (layout.configuration / "timestamp-root.pem").write_bytes(authority.root_pem.read_bytes())
    return layout


def make(root: Path, authority: TimestampAuthority) -> Path:
    """The directory of such a ledger, in a file."""
    asyncio.run(fill(root, authority))
    return root


def copy(master: Path, root: Path) -> Layout:
    """A copy of one's own."""
    return Layout(root=Path(shutil.copytree(master, root, ignore=shutil.ignore_patterns("run"))))
