"""What the how-to says is enough, and does what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from .conftest import OBSERVED, Bench

pytestmark = pytest.mark.integration

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "prepare-a-postgresql-target.md"
ACCOUNT = "prepared_admin"


async def test_an_account_prepared_by_the_book_lacks_nothing_and_works(bench: Bench) -> None:
    blocks = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(blocks) == 8
    book = "".join(blocks).replace("sojourn_admin", ACCOUNT)
    book = book.replace("a long random one", bench.server.administrator_password)
    try:
        bench.owner("CREATE ROLE shop_owner NOLOGIN; CREATE ROLE legacy_app LOGIN")
        for statement in filter(str.strip, book.split(";")):
            bench.owner(statement)
        bench.target = replace(bench.target, administrator=ACCOUNT)
        lacks = await bench.driver.preflight(bench.target, secret=bench.server.administrator_password)
        assert lacks == ()
        assert await bench.grant("sojourn_t70") == OBSERVED
        for closed in ("postgres", "template1"):
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                bench.engineer("sojourn_t70", closed)
        assert (await bench.revoke("sojourn_t70")).complete
    finally:
        bench.owner("GRANT CONNECT ON DATABASE postgres, template1 TO PUBLIC")
        bench.owner(f"DROP OWNED BY {ACCOUNT}")
        bench.owner(f"DROP ROLE {ACCOUNT}, legacy_app")
        bench.owner("DROP OWNED BY shop_owner; DROP ROLE shop_owner")


async def test_the_lines_of_the_book_let_temporary_roles_in_from_the_gateway_alone(bench: Bench) -> None:
    (lines,) = re.findall(r"```\n(hostssl.*?)```", GUIDE.read_text(), re.DOTALL)
    # This build of PostgreSQL has no TLS.
    lines = lines.replace("hostssl", "host")
    if bench.version < 160000:
        lines = lines.replace("/^sojourn_g", "sojourn_g71")
    rules = bench.server.directory / "data" / "pg_hba.conf"
    before = rules.read_text()
    await bench.grant("sojourn_g71")
    try:
        rules.write_text(lines + before)
        bench.owner("SELECT pg_reload_conf()")
        assert bench.owner("SELECT error FROM pg_hba_file_rules WHERE error IS NOT NULL") == []
        with pytest.raises(psycopg.OperationalError, match="pg_hba"):
            bench.engineer("sojourn_g71")
        rules.write_text(lines.replace("10.0.5.17", "127.0.0.1") + before)
        bench.owner("SELECT pg_reload_conf()")
        bench.engineer("sojourn_g71")
    finally:
        rules.write_text(before)
        bench.owner("SELECT pg_reload_conf()")
        assert (await bench.revoke("sojourn_g71")).complete
