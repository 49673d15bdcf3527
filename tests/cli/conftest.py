"""One running installation for the tests of this folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn.testing.installation import Running, running


@pytest.fixture(scope="session")
def sojourn() -> Iterator[Running]:
    """Everything runs: PostgreSQL, scribe, control, gateway."""
    # Not below pytest's own directory: the system user of the database has to get through.
    with tempfile.TemporaryDirectory(prefix="sojourn-test-") as directory:
        Path(directory).chmod(0o755)
        with running(Path(directory) / "one") as one:
            yield one
