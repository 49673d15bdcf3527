"""A data directory with a small ledger in it, as a stopped installation leaves it, and `sojourn audit` over it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn.domain.events import AttemptRefused, CancelRequested, GrantCreated, SessionOpened, WitnessPolicyAdopted
from sojourn.domain.history import Change
from sojourn.domain.identifiers import (
    ATTEMPTS,
    PUBLICATION,
    GrantId,
    RequestId,
    SessionId,
    TokenId,
    grant_stream,
    session_stream,
)
from sojourn.domain.window import Window
from sojourn.projections.projector import Projections
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, ScribeSettings
from sojourn.testing.organisation import ALICE, READ, SHOP
from sojourn.testing.scribe import KEY, ScribeProcess
from sojourn.testing.timestamp import TimestampAuthority

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
HOSTILE = "\x1b[2Jinjected\n7 grant.ended"
ATTACHED = b"witness none\n"
CANCELLED = 300


def changes() -> list[Change]:
    """An access, a refused attempt with a hostile text, and enough entries to fill a tile."""
    grant, session = GrantId("g-1"), SessionId("s-1")
    created = GrantCreated(
        grant=grant,
        request=RequestId("r-1"),
        person=ALICE,
        target=SHOP,
        role=READ,
        window=Window.starting(NOW, timedelta(minutes=30)),
        credential="sojourn_g1",
        configuration_version=1,
    )
    opened = SessionOpened(
        session=session,
        grant=grant,
        person=ALICE,
        target=SHOP,
        role=READ,
        database="shop",
        token=TokenId("t-1"),
        node="gateway-1",
        source="10.0.0.9",
        application="psql",
        tls="TLSv1.3",
    )
    adopted = WitnessPolicyAdopted(sha256=hashlib.sha256(ATTACHED).hexdigest(), quorum="none", witnesses=())
    refused = AttemptRefused(
        verb="approve", actor="mallory", code="approval.self", subject="request/r-1", source=HOSTILE
    )
    cancelled = Change(stream=session_stream(session), event=CancelRequested(session=session, source="here"), seen=None)
    return [
        Change(stream=PUBLICATION, event=adopted, seen=None),
        Change(stream=grant_stream(grant), event=created, seen=None),
        Change(stream=session_stream(session), event=opened, seen=None),
        Change(stream=ATTEMPTS, event=refused, seen=None),
        *[cancelled] * CANCELLED,
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A data directory, and the command line over it."""

    layout: Layout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `sojourn audit …` on it."""
        command = [sys.executable, "-m", "sojourn", "audit", *arguments, "--data", str(self.layout.root)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def ask(self, *arguments: str) -> Any:
        """The JSON that it prints."""
        done = self.run(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def lines(self, *arguments: str) -> list[Any]:
        """The JSON lines that it prints."""
        return [json.loads(line) for line in self.run(*arguments, "--json").stdout.splitlines()]


async def fill(root: Path) -> None:
    """Let a scribe write the ledger, sign it, and end in order; fold the read models."""
    scribe = ScribeProcess(root, ScribeSettings(checkpoint_seconds=0.2))
    scribe.start()
    layout = scribe.layout
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(20)
        written = changes()
        await ledger.append(written[:200], attachments=[ATTACHED])
        await ledger.sign()
        await ledger.append(written[200:])
        await ledger.sign()
        projections = Projections.open(layout.projections)
        projections.apply(await ledger.read(0, 1000))
        projections.close()
    assert scribe.stop()[0] == 0
    layout.configuration.mkdir()
    layout.root.chmod(0o700)
    layout.verifier_key.write_text(KEY.vkey() + "\n")
    layout.keys.mkdir(mode=0o700)
    signing = layout.keys / "signing.key"
    signing.write_text(KEY.format() + "\n")
    signing.chmod(0o600)


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that every test gets a copy of."""
    root = tmp_path_factory.mktemp("audit") / "d"
    asyncio.run(fill(root))
    return root


@pytest.fixture
def kept(master: Path, tmp_path: Path) -> Kept:
    """A data directory of one's own."""
    root = Path(shutil.copytree(master, tmp_path / "d", ignore=shutil.ignore_patterns("run")))
    return Kept(layout=Layout(root=root))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    """A time-stamping authority that is asked without a network."""
    return TimestampAuthority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def bound_master(tmp_path_factory: pytest.TempPathFactory, authority: TimestampAuthority) -> Path:
    """The directory of a ledger with all that entries bind."""
    from . import bound

    return bound.make(tmp_path_factory.mktemp("bound") / "d", authority)


@pytest.fixture
def whole(bound_master: Path, tmp_path: Path) -> Kept:
    """A data directory of one's own with all that entries bind."""
    from . import bound

    return Kept(layout=bound.copy(bound_master, tmp_path / "d"))
