"""A running installation whose policy knows break-glass and reviews, with the command line over it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sojourn.demo.installation import PEOPLE, POLICY_FILE
from sojourn.demo.production import Production
from sojourn.testing.installation import PASSWORD, Running, running

EMERGENCY = """\
  emergency:
    who: { teams: [engineering] }
    targets: [shop]
    roles: [fix-status]
    longest: 1h
    break_glass: { uses: 4, per: 1d, tell: { people: [bob, carol] } }
    review: { within: 3s, by: { people: [bob] } }
"""


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """Everything runs, and four people have signed in; alice may break the glass, and bob reviews it."""
    with running(tmp_path_factory.mktemp("sojourn") / "one", production, policy=POLICY_FILE + EMERGENCY) as one:
        for person in PEOPLE:
            address = one.installation.address
            done = one.installation.sojourn("login", person, "--url", address, stdin=PASSWORD + "\n")
            assert done.returncode == 0, done.stderr
        yield one
