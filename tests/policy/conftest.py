"""One running installation with two administrators, and everybody signed in on the command line."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2
import pytest

from sojourn.demo.installation import PEOPLE
from sojourn.demo.production import Production
from sojourn.testing.installation import PASSWORD, Running, running

SECONDS = 30.0


@pytest.fixture(scope="session")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """carol administers from the start; bob is made administrator by the operator, with a restart of control."""
    with running(tmp_path_factory.mktemp("policy") / "one", production) as one:
        people = one.installation.layout.configuration / "people.yaml"
        people.write_text(people.read_text().replace("name: Bob Brook }", "name: Bob Brook, administrator: true }"))
        one.installation.kill("control")
        deadline = time.monotonic() + SECONDS
        while not _administers(one, "bob"):
            assert time.monotonic() < deadline, "control does not come back with the new files"
            time.sleep(0.05)
        for person in PEOPLE:
            address = one.installation.address
            done = one.installation.sojourn("login", person, "--url", address, stdin=PASSWORD + "\n")
            assert done.returncode == 0, done.stderr
        yield one


def _administers(one: Running, person: str) -> bool:
    try:
        return bool(one.get("/me", person=person).get("administrator"))
    except httpx2.HTTPError:
        return False
