"""Real clients work through the gateway as they work directly, and what they do is on record."""

from __future__ import annotations

from typing import Any


async def test_psql_works_and_each_statement_is_on_record(live: Any) -> None:
    secret = await live.enter()
    code, out, errors = await live.psql(secret, "-Atc", "select 1", "-c", "select 2; select 3")
    assert (code, out.split(), errors) == (0, ["1", "2", "3"], "")
    assert await live.gateway.texts() == ["select 1", "select 2; select 3"]
