"""What Alice does in production, and what happens to her when things break."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg

from sojourn.errors import Code, SojournError

from .installation import Installation
from .production import Production

if TYPE_CHECKING:
    from .story import Stage

Client = psycopg.Connection[tuple[Any, ...]]
PATIENCE_SECONDS = 60.0


@contextmanager
def connection(one: Installation, role: str) -> Iterator[Client]:
    """A connection of Alice's own client (psycopg) through the gateway; it commits by itself."""
    given = one.ask("connect", "shop", "--role", role, person="alice")
    if "error" in given:
        raise SojournError(Code(given["error"]["code"]), **given["error"]["details"])
    client: Client = psycopg.connect(
        host=given["host"],
        port=given["port"],
        dbname=given["database"],
        user=given["user"],
        password=given["token"],
        sslmode="verify-full",
        sslrootcert=given["authority_file"],
        autocommit=True,
    )
    try:
        yield client
    finally:
        client.close()


def read_and_try_to_write(stage: Stage) -> None:
    """psql and psycopg through the gateway: reading works, writing is refused by the database itself."""
    one = stage.installation
    statements = "select count(*) from shop.orders;\nselect * from shop.orders order by total_cents desc limit 3;\n"
    shown = one.sojourn("connect", "shop", person="alice", stdin=statements)
    if shown.returncode:
        raise SojournError(Code.TARGET_REFUSED, target="shop", problem=shown.stderr.strip())
    grants = stage.ask("grants", "--status", "active", person="alice")["grants"]
    stage.found["grant_id"] = grants[0]["grant"]
    stage.say(f"sojourn connect shop: the access begins ({grants[0]['grant']}), psql runs two statements")
    with connection(one, "read") as client:
        row = client.execute("select name from shop.customers where id = %s", (42,)).fetchone()
        assert row is not None
        with client.cursor() as cursor, cursor.copy("copy shop.payments to stdout") as copied:
            size = sum(len(chunk) for chunk in copied)
        stage.say(f"psycopg: a bound value, and COPY of {size} bytes")
        try:
            client.execute("update shop.orders set status = 'open' where id = 17")
            stage.found["write_refused_sqlstate"] = ""
        except psycopg.Error as error:
            stage.found["write_refused_sqlstate"] = error.sqlstate or ""
    stage.say(f"an update is refused by PostgreSQL itself ({stage.found['write_refused_sqlstate']})")
    ended = stage.ask("end", stage.found["grant_id"], person="alice")
    stage.say(f"alice is done early: role read back as gone {ended['removal_ms']} ms later")


def change_one_row(stage: Stage) -> None:
    """A second access may change one column, and its row count is on record."""
    from .story import granted

    grant = granted(stage, "fix-status", "10m", "INC-2041 order 17 hangs")
    with connection(stage.installation, "fix-status") as client:
        changed = client.execute("update shop.orders set status = 'packed' where id = 17").rowcount
        try:
            client.execute("update shop.orders set total_cents = 0 where id = 17")
            sqlstate = ""
        except psycopg.Error as error:
            sqlstate = error.sqlstate or ""
    stage.found["rows_changed"] = changed
    stage.say(
        f"a second access may update orders.status: {changed} row changed; another column is refused ({sqlstate})"
    )
    stage.ask("end", grant["grant"], person="alice")


def wait_until_absent(server: Production, role: str) -> datetime | None:
    """When the role was seen to be gone from pg_roles, looking as the owner of the database; None if it stays."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with server.superuser() as looking:
        while time.monotonic() < deadline:
            if looking.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone() is None:
                return datetime.now(UTC)
            time.sleep(0.005)
    return None


def revoke_at_once(stage: Stage) -> None:
    """Somebody else takes an access away while it is used."""
    from .story import granted

    grant = granted(stage, "read", "10m", "INC-2041 last look")
    with connection(stage.installation, "read") as client:
        client.execute("select 1")
        ended = stage.ask("revoke", grant["grant"], person="carol")
        try:
            client.execute("select 1")
            sqlstate = ""
        except psycopg.Error as error:
            sqlstate = error.sqlstate or "connection closed"
    stage.found["revoked_removal_ms"] = ended["removal_ms"]
    stage.say(f"carol revokes a fourth access while alice is in it: {sqlstate}, gone after {ended['removal_ms']} ms")


def survive_crashes(stage: Stage) -> None:
    """Kill the scribe, control and the gateway: nothing runs unrecorded, nothing acknowledged is lost."""
    from .story import granted

    one = stage.installation
    before = stage.ask("ledger", person="dora")["size"]
    grant = granted(stage, "fix-status", "10m", "INC-2041 under bad weather")
    with connection(one, "fix-status") as client:
        client.execute("select 1")
        one.kill("scribe")
        try:
            client.execute("update shop.orders set status = 'open' where id = 18")
            stage.found["refused_while_scribe_was_dead"] = False
        except psycopg.Error:
            stage.found["refused_while_scribe_was_dead"] = _status(stage.production, 18) != "open"
        stage.say("the scribe is killed: the next statement is refused and does not run")
        works = _until_it_works(client)
        stage.say("the supervisor has started it again: the same session goes on")
        one.kill("control")
        client.execute("select 2")
        stage.say("control is killed: the session does not notice")
        one.kill("gateway")
        stage.say("the gateway is killed: the session ends, and is closed on record when the gateway is back")
    closed = _wait_for_interrupted(stage, grant["grant"])
    after = stage.ask("ledger", person="dora")["size"]
    stage.found["works_after_restart"] = works and closed and after > before
    stage.ask("end", grant["grant"], person="alice")


def _status(server: Production, order: int) -> str:
    with server.superuser() as looking:
        row = looking.execute("select status from shop.orders where id = %s", (order,)).fetchone()
        assert row is not None
        return str(row[0])


def _until_it_works(client: Client) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            client.execute("select 1")
        except psycopg.Error:
            time.sleep(0.05)
        else:
            return True
    return False


def _wait_for_interrupted(stage: Stage, grant: str) -> bool:
    """Whether the session of the killed gateway gets closed on record."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = stage.installation.ask("sessions", "--grant", grant, person="dora")
        if "error" not in answer and [one["cause"] for one in answer["sessions"]] == ["interrupted"]:
            return True
        time.sleep(0.1)
    return False
