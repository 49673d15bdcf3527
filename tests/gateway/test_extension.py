"""An approved extension is felt by open sessions: they go on, and end at the new end and not at the old one."""

from __future__ import annotations

import time
from datetime import timedelta

import psycopg
import pytest

from sojourn.domain.events import GrantCreated, GrantExtended
from sojourn.domain.identifiers import GrantId, RequestId, grant_stream

from .conftest import Access
from .test_end import closed


def extend(gateway: Access, grant: GrantId, seconds: float) -> None:
    created = next(one for one in gateway.events(GrantCreated) if one.grant == grant)
    extended = GrantExtended(
        grant=grant,
        request=RequestId("r-more"),
        since=created.window.end,
        until=created.window.end + timedelta(seconds=seconds),
        configuration_version=1,
    )
    gateway.append(grant_stream(grant), extended)


def test_an_extended_session_outlives_the_old_end_and_is_cut_at_the_new_one(gateway: Access, credential: str) -> None:
    if gateway.grant is not None:
        gateway.end()
    begun = time.monotonic()
    grant = gateway.give(credential, seconds=1.2)
    with gateway.psycopg() as connection:
        connection.execute("SELECT 1")
        extend(gateway, grant, 1.5)
        time.sleep(max(0.0, begun + 1.6 - time.monotonic()))
        connection.execute("SELECT 2")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(20)")
    assert 2.6 < time.monotonic() - begun < 4.5
    end = closed(gateway)
    assert end.cause == "grant_ended" and end.cut_lag_us is not None and end.cut_lag_us < 500_000


def test_a_session_opened_after_an_extension_lasts_to_the_new_end(gateway: Access, credential: str) -> None:
    if gateway.grant is not None:
        gateway.end()
    grant = gateway.give(credential, seconds=0.8)
    extend(gateway, grant, 60)
    time.sleep(1.0)
    with gateway.psycopg() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    gateway.end(grant)
