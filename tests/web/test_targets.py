"""A running installation compares a target with the record: who came around Sojourn is found, and on record."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from sojourn.testing.installation import Running

pytestmark = pytest.mark.integration

PATHS = (("POST", "/targets/shop/preflight"), ("POST", "/targets/shop/reconcile"), ("GET", "/targets/shop/looks"))


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_only_administrators_and_auditors_look_behind_a_target(sojourn: Running, method: str, path: str) -> None:
    answered = sojourn.send(method, path, {} if method == "POST" else None, person="alice")
    assert answered.status_code == 403
    assert answered.json()["error"]["code"] == "permission.denied"
    for person in ("carol", "dora"):
        assert sojourn.send(method, path, {} if method == "POST" else None, person=person).status_code == 200


def test_a_target_prepared_by_the_demo_lacks_nothing(sojourn: Running) -> None:
    assert sojourn.post("/targets/shop/preflight", person="carol") == {"target": "shop", "lacking": []}


def look_twice(sojourn: Running) -> Any:
    sojourn.post("/targets/shop/reconcile", person="dora")
    time.sleep(0.2)
    return sojourn.post("/targets/shop/reconcile", person="dora")


def test_a_login_that_nobody_asked_for_is_found_and_on_record_and_gone_again(sojourn: Running) -> None:
    owner = sojourn.production.superuser()
    owner.execute("CREATE ROLE sojourn_ghost LOGIN PASSWORD 'x'")
    owner.execute("COMMENT ON ROLE sojourn_ghost IS 'Sojourn access sojourn_ghost'")
    try:
        with psycopg.connect(
            host=sojourn.production.host,
            port=sojourn.production.port,
            dbname="shop",
            user="sojourn_ghost",
            password="x",
        ):
            found = {(one["kind"], one["subject"]) for one in look_twice(sojourn)["findings"]}
            assert {("login_unrecorded", "sojourn_ghost"), ("session_unrecorded", "sojourn_ghost")} <= found
        looks = sojourn.get("/targets/shop/looks", person="dora")["looks"]
        assert any(one["subject"] == "sojourn_ghost" for look in looks for one in look["findings"])
    finally:
        owner.execute("DROP ROLE sojourn_ghost")
        owner.close()
    assert not any(one["subject"] == "sojourn_ghost" for one in look_twice(sojourn)["findings"])


def test_a_mighty_account_that_appears_is_news(sojourn: Running) -> None:
    look_twice(sojourn)
    with sojourn.production.superuser() as owner:
        owner.execute("CREATE ROLE eve LOGIN SUPERUSER")
        try:
            assert "+ eve: SUPERUSER" in sojourn.post("/targets/shop/reconcile", person="dora")["accounts_changed"]
        finally:
            owner.execute("DROP ROLE eve")
    assert "- eve: SUPERUSER" in sojourn.post("/targets/shop/reconcile", person="dora")["accounts_changed"]


def test_a_login_that_was_removed_and_is_there_again_is_on_record_and_removed_again(sojourn: Running) -> None:
    """As when a target is set back to an earlier moment, or loses its last changes in a fail-over; whoever looks."""
    grant = sojourn.granted()["grant"]
    assert sojourn.post(f"/grants/{grant}/end", person="alice")["removed"]
    login = "sojourn_" + grant.replace("-", "")
    with sojourn.production.superuser() as owner:
        owner.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'mine'".encode())
        owner.execute(f"COMMENT ON ROLE {login} IS 'Sojourn access {login}'".encode())
        owner.execute(f"GRANT {login} TO sojourn_admin WITH ADMIN OPTION".encode())
        deadline = time.monotonic() + 40
        while "login_returned" not in kinds_of(sojourn, login):
            assert time.monotonic() < deadline
            with ThreadPoolExecutor() as askers:
                list(askers.map(look_twice, [sojourn] * 3))
        assert owner.execute("SELECT FROM pg_roles WHERE rolname = %s", (login,)).fetchone() is None
    told = kinds_of(sojourn, login)
    assert "login_unrecorded" in told
    assert told["login_returned"] == f"{grant} had been removed, and its login was there again; removed again"


def kinds_of(sojourn: Running, login: str) -> dict[str, str]:
    """What is on record of the login at the target: kinds of findings, and their details."""
    looks = sojourn.get("/targets/shop/looks", person="dora")["looks"]
    return {one["kind"]: one["detail"] for look in looks for one in look["findings"] if one["subject"] == login}
