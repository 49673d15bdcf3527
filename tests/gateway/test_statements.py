"""What passes through a gateway works as it does without one, and is on record."""

from __future__ import annotations

import time

from sojourn.domain.events import ActionCompleted, ActionIntended

from .conftest import Access


def test_a_simple_query_works_and_is_on_record(gateway: Access) -> None:
    with gateway.psycopg() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    time.sleep(0.3)
    (intended,) = gateway.events(ActionIntended)
    assert b"SELECT 1" in gateway.detail(intended.detail.commitment)
    (completed,) = gateway.events(ActionCompleted)
    assert (completed.outcome, completed.rows) == ("completed", 1)
