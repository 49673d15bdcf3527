"""One running installation for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sojourn.demo.production import Production
from sojourn.testing.installation import Running, running


@pytest.fixture(scope="session")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """Scribe, control and gateway run over the production database, and four people have signed in."""
    with running(tmp_path_factory.mktemp("sojourn") / "one", production) as one:
        yield one
