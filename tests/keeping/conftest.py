"""One running installation in which bob and carol are administrators, so that two can agree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sojourn.demo.installation import PEOPLE, PEOPLE_FILE
from sojourn.demo.production import Production
from sojourn.testing.installation import PASSWORD, Running, running


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """Everything runs, and four people have signed in on the command line."""
    people = PEOPLE_FILE.replace("{ name: Bob Brook }", "{ name: Bob Brook, administrator: true }")
    with running(tmp_path_factory.mktemp("sojourn") / "one", production, people=people) as one:
        for person in PEOPLE:
            done = one.installation.sojourn("login", person, "--url", one.installation.address, stdin=PASSWORD + "\n")
            assert done.returncode == 0, done.stderr
        yield one
