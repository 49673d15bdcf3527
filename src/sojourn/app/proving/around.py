"""Negative tests of the record: what comes around Sojourn is seen, and who alters the record is found out."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sojourn.app.drill.clones import clone_file
from sojourn.app.drill.forging import FileTables
from sojourn.app.verifying import verify_file
from sojourn.domain.events import LedgerDrilled, ProbeTried, TargetReconciled
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import PUBLICATION, target_stream
from sojourn.domain.target import Target, TargetKind
from sojourn.vault.secrets import read_secret

from .bench import Bench, Untried

CONNECT_SECONDS = 10
LOOKS = 4
"""A difference counts when two looks have seen it; so many of them are waited for."""


async def bypassed(bench: Bench) -> ProbeTried | Untried:
    """Somebody works in the target around Sojourn, under a login that looks like one of ours."""
    name, target = "unrecorded-action", bench.target
    if target.kind is not TargetKind.POSTGRES:
        return Untried(name=name, why=f"the kit has no client for a target of kind {target.kind}")
    secret = read_secret(bench.layout.configuration / "secrets", target.administrator_secret)
    login, start = f"sojourn_g{secrets.token_hex(5)}", await bench.ledger.size()

    def seen(one: Recorded) -> bool:
        return isinstance(one.event, TargetReconciled) and any(
            finding.subject == login and finding.kind.endswith("_unrecorded") for finding in one.event.findings
        )

    session = _around(target, secret, login)
    await asyncio.to_thread(session.__enter__)
    try:
        begun, clock = start, asyncio.get_running_loop().time()
        seconds = max(10.0, LOOKS * bench.settings.control.reconcile_seconds)
        entries = await bench.awaited(begun, (target_stream(target.name),), seen, seconds)
        took = asyncio.get_running_loop().time() - clock
    finally:
        await asyncio.to_thread(session.__exit__, None, None, None)
    found = f"a session of {login}, which no access made, was "
    found += f"on record after {took:.0f} s" if entries else f"not on record after {seconds:.0f} s"
    return ProbeTried(name=name, passed=bool(entries), found=found, entries=entries)


@contextmanager
def _around(target: Target, secret: str, login: str) -> Iterator[None]:
    """A login made beside Sojourn, with a session that has done something; both are gone afterwards."""
    import psycopg
    from psycopg import sql

    password, name = secrets.token_hex(16), sql.Identifier(login)

    def connect(user: str, word: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=target.host,
            port=target.port,
            dbname=target.database,
            user=user,
            password=word,
            sslmode=target.tls,
            sslrootcert=target.tls_authority or None,
            connect_timeout=CONNECT_SECONDS,
            autocommit=True,
        )

    with connect(target.administrator, secret) as own:
        own.execute(sql.SQL("create role {} login password {}").format(name, sql.Literal(password)))
        try:
            with connect(login, password) as other:
                other.execute("select 1")
                yield
        finally:
            own.execute(sql.SQL("drop role {}").format(name))


async def edited(bench: Bench) -> ProbeTried | Untried:
    """Somebody edits an entry in the store: first through its triggers, then as the owner of its tables."""
    name = "edited-record"
    if bench.settings.scribe.store:
        return Untried(name=name, why="the record lies in PostgreSQL: `sojourn audit drill --database` tries it there")
    found = await asyncio.to_thread(_edit, bench)
    return ProbeTried(name=name, passed=not found[1], found=found[0], entries=())


def _edit(bench: Bench) -> tuple[str, bool]:
    """What came of it, and whether an edit came through. It is done to a clone."""
    key = bench.layout.verifier_key.read_text().strip()
    with tempfile.TemporaryDirectory(prefix="sojourn-prove-") as directory:
        path = Path(directory) / "ledger.db"
        clone_file(bench.layout.ledger, path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            try:
                connection.execute("UPDATE batch SET entries = x'00' WHERE first = 0")
            except sqlite3.Error as error:
                refused = str(error)
            else:
                return "the store let an entry be edited", True
        with FileTables(path).opened() as tables:
            (stored,) = tables.execute("SELECT entries FROM batch WHERE first = 0").fetchone()
            altered = bytes(stored)[:-2] + bytes([bytes(stored)[-2] ^ 1]) + bytes(stored)[-1:]
            tables.execute("UPDATE batch SET entries = ? WHERE first = 0", (altered,))
        verdict = verify_file(path, keys=[key])
    if verdict.sound:
        return "an entry was edited by the owner of the tables, and nothing noticed", True
    return (
        f"the store refused it ({refused}); edited by its owner, the verifier found {verdict.problems[0]['code']}",
        False,
    )


async def drilled(bench: Bench) -> ProbeTried | Untried:
    """The last tamper drill, which tries far more, joins the result."""
    name = "tamper-drill"
    told = [one for one in await bench.ledger.stream(PUBLICATION) if isinstance(one.event, LedgerDrilled)]
    if not told:
        return Untried(name=name, why="no drill is on record: run `sojourn audit drill`")
    last = told[-1].event
    assert isinstance(last, LedgerDrilled)
    caught = sum(bool(one.caught_by) for one in last.attacks)
    found = f"{caught} of {len(last.attacks)} attacks on a ledger of {last.size} entries were caught"
    return ProbeTried(name=name, passed=last.passed, found=found, entries=(told[-1].seq,))
