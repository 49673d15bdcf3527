"""One running installation for the tests of this folder, and the command line over it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sojourn.demo.installation import PEOPLE
from sojourn.demo.production import Production
from sojourn.testing.installation import PASSWORD, Running, running


@pytest.fixture(scope="session")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """Everything runs, and four people have signed in with `sojourn login`."""
    with running(tmp_path_factory.mktemp("sojourn") / "one", production) as one:
        for person in PEOPLE:
            address = one.installation.address
            done = one.installation.sojourn("login", person, "--url", address, stdin=PASSWORD + "\n")
            assert done.returncode == 0, done.stderr
        yield one
