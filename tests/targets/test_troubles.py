"""A target that is away, mute, busy or locked is told apart by what it is, and never holds a call for ever."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.target import Target
from sojourn.errors import Code, SojournError
from sojourn.targets.port import Claim
from sojourn.targets.postgres import PostgresDriver

from .conftest import ROLE, Bench

pytestmark = pytest.mark.integration


def claim() -> Claim:
    return Claim(grant="g-t60", credential="sojourn_t60", ends=(datetime.now(UTC) + timedelta(minutes=1),))


async def fails(driver: PostgresDriver, target: Target, secret: str = "wrong") -> SojournError:
    with pytest.raises(SojournError) as caught:
        await driver.grant(target, ROLE, claim(), password="p", secret=secret)
    return caught.value


async def test_a_target_that_is_away_is_unreachable(bench: Bench) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        error = await fails(bench.driver, replace(bench.target, port=nobody.getsockname()[1]))
    assert error.code is Code.TARGET_UNREACHABLE


async def test_a_wrong_password_is_a_refusal(bench: Bench) -> None:
    assert (await fails(bench.driver, bench.target)).code is Code.TARGET_REFUSED


async def test_a_refusal_in_words_we_do_not_know_is_a_refusal(bench: Bench) -> None:
    """What a server with German messages sends to a wrong password (PostgreSQL protocol 3.0, ErrorResponse)."""
    fields = (
        "SFATAL\0VFATAL\0C28P01\0MPasswort-Authentifizierung für Benutzer »sojourn_admin« fehlgeschlagen\0\0".encode()
    )

    done: asyncio.Queue[None] = asyncio.Queue()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read(1024)
            writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
            writer.close()
            await writer.wait_closed()
        writer.transport.abort()
        done.put_nowait(None)

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        error = await fails(bench.driver, replace(bench.target, port=server.sockets[0].getsockname()[1]))
        for _ in ("the log-in", "the look whether anybody is there"):
            await done.get()
    assert error.code is Code.TARGET_REFUSED
    assert "Passwort" in str(error)


async def test_a_database_that_is_not_there_is_a_refusal(bench: Bench) -> None:
    target = replace(bench.target, database="nowhere")
    error = await fails(bench.driver, target, bench.server.administrator_password)
    assert error.code is Code.TARGET_REFUSED


async def test_a_lock_that_somebody_else_holds_is_not_called_unreachable(bench: Bench) -> None:
    with bench.server.superuser() as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE pg_catalog.pg_shdescription IN ACCESS EXCLUSIVE MODE")
        error = await fails(bench.driver, bench.target, bench.server.administrator_password)
        other.execute("ROLLBACK")
    assert error.code is Code.TARGET_REFUSED
    assert "lock" in str(error)


@asynccontextmanager
async def between(bench: Bench) -> AsyncIterator[tuple[Target, asyncio.Event]]:
    """The target behind a relay that goes mute, with the connection open, once the event is set."""
    mute = asyncio.Event()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if mute.is_set():
                await asyncio.sleep(3600)
            writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(bench.server.host, bench.server.port)
        carrying = [asyncio.create_task(carry(reader, far_writer)), asyncio.create_task(carry(far_reader, writer))]
        try:
            await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in carrying:
                task.cancel()
            for one in (writer, far_writer):
                one.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield replace(bench.target, port=server.sockets[0].getsockname()[1]), mute
    finally:
        server.close()


async def test_a_target_that_falls_mute_does_not_hold_the_call(bench: Bench) -> None:
    driver = PostgresDriver(os.urandom, grant_seconds=1.0, revoke_seconds=1.0)
    secret = bench.server.administrator_password
    async with between(bench) as (target, mute):
        with bench.server.superuser() as other:
            # The grant waits for this lock, and meanwhile the line goes mute.
            other.execute("BEGIN")
            other.execute("SELECT * FROM pg_catalog.pg_namespace FOR UPDATE")
            begun = time.monotonic()
            granting = asyncio.create_task(fails(driver, target, secret))
            await asyncio.sleep(0.5)
            mute.set()
            error = await granting
            assert time.monotonic() - begun < 4
            assert error.code is Code.TARGET_UNREACHABLE
            other.execute("ROLLBACK")
        begun = time.monotonic()
        with pytest.raises(SojournError) as caught:
            await driver.revoke(target, claim(), secret=secret)
        assert caught.value.code is Code.TARGET_UNREACHABLE
        assert time.monotonic() - begun < 4
    for _ in range(100):
        if not bench.roles():
            break
        await asyncio.sleep(0.1)
