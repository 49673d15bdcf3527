"""Both ledgers, behind one name."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import pytest

from sojourn.scribe.client import ScribeClient
from sojourn.settings import ScribeSettings
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.ledger import MemoryLedger
from sojourn.testing.scribe import ScribeProcess

AnyLedger: TypeAlias = "MemoryLedger | ScribeClient"


@pytest.fixture(params=["memory", "scribe", "scribe on postgresql"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyLedger]:
    """An empty ledger: in memory, and a real scribe process with its client, on either store."""
    if request.param == "memory":
        yield MemoryLedger(SimulatedClock())
        return
    server = request.getfixturevalue("ledger_server") if "postgresql" in request.param else None
    store = "" if server is None else server.ledger(f"ledger_{secrets.token_hex(8)}")
    scribe = ScribeProcess(tmp_path, ScribeSettings(store=store))
    scribe.start()
    try:
        async with ScribeClient(scribe.layout.scribe_socket) as client:
            await client.connected(20)
            yield client
    finally:
        scribe.kill()
