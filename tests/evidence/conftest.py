"""A real scribe that records what tests tell it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sojourn.scribe.client import ScribeClient
from sojourn.testing.scribe import ScribeProcess
from sojourn.workflow.adopt import adopt

from .recorded import BOB, CAROL, Record, catalogue


@pytest.fixture
async def record(tmp_path: Path) -> AsyncIterator[Record]:
    """A real scribe with a configuration in force."""
    process = ScribeProcess(root=tmp_path)
    process.start()
    try:
        async with ScribeClient(process.layout.scribe_socket) as client:
            await client.connected(30)
            await adopt(client, catalogue=catalogue(BOB, CAROL), files={"people.yaml": b"people: {}"}, operator="root")
            record = Record(client)
            yield record
            record.projections.close()
    finally:
        process.stop()
