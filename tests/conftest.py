"""What several folders of tests share: one real PostgreSQL that plays production."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sojourn.demo.production import Production
from sojourn.demo.production import production as running

ADMINISTRATOR_PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """A server with the shop in it, one for each test process. Leave it as you found it."""
    with running(tmp_path_factory.mktemp("production") / "pg", password=ADMINISTRATOR_PASSWORD) as server:
        yield server
