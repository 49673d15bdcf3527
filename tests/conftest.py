"""What several folders of tests share: one real PostgreSQL that plays production."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sojourn.demo.production import Production
from sojourn.demo.production import production as running
from sojourn.errors import Code, Refusal
from sojourn.testing.postgres import LedgerServer

ADMINISTRATOR_PASSWORD = "correct horse battery staple"

# How long a machine takes under load is no property of what is tested. `make test` gives the same inputs each time, so
# that what it says changes with the code alone; `--hypothesis-profile explore`, as `make soak` has it, goes elsewhere.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("explore"), derandomize=True)
settings.load_profile("same")


@pytest.fixture(scope="session", autouse=True)
def every_refusal_can_be_said() -> Iterator[None]:
    """A refusal that lacks a word of its own sentence fails where it is made, in whatever test that is."""
    made = Refusal.__init__

    def say(self: Refusal, code: Code, details: Mapping[str, str] = {}) -> None:
        made(self, code, details)
        assert self.sentence and self.next_step

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Refusal, "__init__", say)
        yield


@pytest.fixture(scope="session")
def production() -> Iterator[Production]:
    """A server with the shop in it, one for each test process. Leave it as you found it.

    Not under pytest's own directory: run as root, the server is another user, and every pytest on the machine that
    starts closes that directory to others.
    """
    with (
        tempfile.TemporaryDirectory(prefix="sojourn-production-") as directory,
        running(Path(directory) / "pg", password=ADMINISTRATOR_PASSWORD) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def ledger_server() -> Iterator[LedgerServer]:
    """A server that keeps ledgers, one for each test process; each test makes a database of its own in it."""
    with tempfile.TemporaryDirectory(prefix="sojourn-ledgers-") as directory:
        server = LedgerServer.make(Path(directory))
        try:
            yield server
        finally:
            # What is in it goes away with it, so nothing has to reach the disk first.
            server.stop(signal.SIGQUIT)
