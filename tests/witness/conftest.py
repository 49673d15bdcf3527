"""Real witnesses, in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn.testing.log import LOG_KEY
from sojourn.testing.witness import WitnessProcess


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessProcess]:
    """A witness that knows the log of the tests and runs."""
    made = WitnessProcess.make(tmp_path / "witness", LOG_KEY.verifier())
    made.start()
    yield made
    made.kill()
