"""Who looks at the pages: everybody's browser, and a stranger's."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sojourn.testing.browser import Browser, signed_in
from sojourn.testing.installation import Running


@pytest.fixture(scope="session")
def browsers(sojourn: Running) -> Mapping[str, Browser]:
    """alice and bob are engineers, carol is an administrator, dora an auditor; "" is a stranger."""
    stranger = Browser(address=sojourn.installation.address)
    return {"": stranger, **{person: signed_in(sojourn, person) for person in ("alice", "bob", "carol", "dora")}}
