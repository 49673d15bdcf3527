"""With pgaudit a session shows by its statements, also on a server whose log says nothing of who comes and goes."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn.demo.production import Production
from sojourn.targets.postgres import PostgresDriver
from sojourn.testing.debian import PROGRAMS, debian
from sojourn.testing.packages import install

from .conftest import ADMINISTRATOR_PASSWORD, Bench, target_of
from .test_log import RIGHTS, read, read_until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("production-log")]

LIBRARY = PROGRAMS.parent / "lib" / "pgaudit.so"


@pytest.fixture(scope="module")
def audited_server() -> Iterator[Production]:
    """Debian's PostgreSQL 15 with its pgaudit."""
    install({"postgresql-15-pgaudit": LIBRARY})
    options = (
        "shared_preload_libraries=pgaudit",
        "pgaudit.log=all",
        "logging_collector=on",
        "log_destination=jsonlog",
        "log_connections=off",
    )
    with tempfile.TemporaryDirectory(prefix="sojourn-audit-") as directory:
        Path(directory).chmod(0o755)
        with debian(Path(directory) / "pg", password=ADMINISTRATOR_PASSWORD, options=options) as started:
            yield started


@pytest.fixture
def auditor(audited_server: Production) -> Iterator[Bench]:
    """Sojourn's account may read the log, and the server lets pgaudit speak."""
    bench = Bench(server=audited_server, target=target_of(audited_server), driver=PostgresDriver(os.urandom))
    bench.owner(f"GRANT {RIGHTS} TO sojourn_admin; CREATE EXTENSION IF NOT EXISTS pgaudit")
    yield bench
    for connection in bench.opened:
        connection.close()
    bench.owner(f"REVOKE {RIGHTS} FROM sojourn_admin")


async def test_a_session_shows_by_what_pgaudit_logs_of_its_statements(auditor: Bench) -> None:
    await auditor.grant("sojourn_t130")
    place = (await read(auditor, "")).place
    quiet = auditor.engineer("sojourn_t130")
    speaks = auditor.engineer("sojourn_t130")
    speaks.execute("SELECT 'multiple\nlines', count(*) FROM shop.orders")
    reading = await read_until(auditor, place, speaks.info.backend_pid)
    assert not reading.tells_all
    (found,) = {one for one in reading.sessions if one.process == speaks.info.backend_pid}
    assert (found.login, found.database) == ("sojourn_t130", "shop")
    # Who does nothing is not in such a log, and the reading does not claim that it tells of everybody.
    assert quiet.info.backend_pid not in {one.process for one in reading.sessions}
    quiet.close()
    speaks.close()
    assert (await auditor.revoke("sojourn_t130")).complete


async def test_preflight_wants_nothing_more_where_pgaudit_logs(auditor: Bench) -> None:
    deadline = time.monotonic() + 10
    while lacks := await auditor.driver.preflight(auditor.target, secret=ADMINISTRATOR_PASSWORD):
        assert time.monotonic() < deadline, lacks
