"""A gateway that is killed in the middle of a COPY: the session is over, on record as interrupted, and work goes on."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sojourn.testing.installation import Running

SECONDS = 40.0


def until(what: str, true: Callable[[], Any]) -> Any:
    """Wait for something to come true; gives it."""
    deadline = time.monotonic() + SECONDS
    while not (found := true()):
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return found


def connect(one: Running, authority: Path) -> psycopg.Connection[tuple[object, ...]]:
    given = one.post("/targets/shop/connection", {"role": "read"}, person="alice")
    authority.write_text(given["authority"])
    return psycopg.connect(
        host=given["host"],
        port=given["port"],
        dbname=given["database"],
        user=given["user"],
        password=given["token"],
        sslmode="verify-full",
        sslrootcert=str(authority),
        autocommit=True,
    )


def test_a_gateway_that_is_killed_in_a_copy_leaves_an_interrupted_session_on_record(
    sojourn: Running, tmp_path: Path
) -> None:
    grant = sojourn.granted(duration="10m")["grant"]
    place = sojourn.installation.layout.run / "gateway.json"

    def gateway() -> int:
        return int(json.loads(place.read_text())["pid"])

    killed = gateway()
    connection = connect(sojourn, tmp_path / "authority.crt")
    process = connection.info.backend_pid
    rows = "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 10000000)) TO STDOUT"
    with connection.cursor() as cursor, pytest.raises(psycopg.Error), cursor.copy(rows) as copy:
        for number, _ in enumerate(copy):
            if number == 1000:
                os.kill(killed, signal.SIGKILL)
    until("the gateway is started again", lambda: place.exists() and gateway() != killed)
    (session,) = until(
        "the session is closed on record",
        lambda: [
            one
            for one in sojourn.get(f"/sessions?grant={grant}", person="dora")["sessions"]
            if one["cause"] == "interrupted"
        ],
    )
    shown = sojourn.get(f"/sessions/{session['session']}/actions", person="dora")
    assert [one["outcome"] for one in shown["actions"]] == ["interrupted"]
    with sojourn.production.superuser() as server:
        question = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {process}".encode()
        until("the target's own session is over", lambda: server.execute(question).fetchone() == (0,))
    with connect(sojourn, tmp_path / "authority.crt") as again:
        assert again.execute("SELECT 1").fetchone() == (1,)
