"""What an auditor waits for: the packs of 25 access events at once, and one alone, from a running installation.

Each access has as many actions as one of the sample year has: 2,000,000 over 17,606 grants.
"""

from __future__ import annotations

import io
import json
import secrets
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import psycopg

from sojourn.demo.production import DATABASE, production
from sojourn.testing.installation import Running, running

from .figures import Figure, cpu_seconds

ACTIONS = 114
EVENTS = 25
DEADLINE_SECONDS = 300.0


def measured(*, quick: bool) -> Iterator[Figure]:
    """The download of all packs of a sample, and of one, by the clock and by what control and scribe worked for it."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sojourn-packs-")))
        # The database may run as another user, who has to be able to reach its directory.
        directory.chmod(0o755)
        server = stack.enter_context(production(directory / "production", password=secrets.token_urlsafe(24)))
        sojourn = stack.enter_context(running(directory / "home", server))
        count = 3 if quick else EVENTS
        grants = [_used(sojourn, directory / "authority.crt") for _ in range(count)]
        sample = _sampled(sojourn, count)
        yield from _timed(sojourn, f"/samples/{sample}/packs", f"{count} packs of {ACTIONS} actions at once", count)
        yield from _timed(sojourn, f"/grants/{grants[0]}/evidence", f"one pack of {ACTIONS} actions", 1)


def _used(sojourn: Running, authority: Path) -> str:
    """An access of Alice's that was used and is over; gives its grant."""
    granted = sojourn.granted()
    given = sojourn.post("/targets/shop/connection", {"role": "read"}, person="alice")
    authority.write_text(given["authority"])
    with psycopg.connect(
        host=given["host"],
        hostaddr="127.0.0.1",
        port=given["port"],
        dbname=DATABASE,
        user=given["user"],
        password=given["token"],
        sslmode="verify-full",
        sslrootcert=str(authority),
        autocommit=True,
    ) as client:
        for number in range(ACTIONS):
            client.execute(
                f"SELECT id, status FROM shop.orders WHERE id = {number} -- what was done no. {number}".encode()
            )
    sojourn.post(f"/grants/{granted['grant']}/end", person="alice")
    return str(granted["grant"])


def _sampled(sojourn: Running, count: int) -> str:
    """A sample of all of these events, drawn by the auditor in a report."""
    wish = {"report": "access-events", "start": "2026-01-01", "end": "2100-01-01", "sample": count, "seed": "25"}
    run = sojourn.post("/reports", wish, person="dora")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while run["state"] in ("waiting", "running"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the report does not come: {run}")
        time.sleep(0.2)
        run = sojourn.get(f"/report-runs/{run['run']}", person="dora")
    return str(run["sample"])


def _timed(sojourn: Running, path: str, name: str, count: int) -> Iterator[Figure]:
    run = sojourn.installation.layout.run
    processes = [json.loads((run / "control.json").read_text())["pid"], int((run / "scribe.lock").read_text())]
    before, start = sum(map(cpu_seconds, processes)), time.perf_counter()
    answered = httpx2.get(
        f"{sojourn.installation.address}/api/v1{path}",
        headers={"authorization": f"Bearer {sojourn.tokens['dora']}"},
        timeout=DEADLINE_SECONDS,
    )
    seconds, worked = time.perf_counter() - start, sum(map(cpu_seconds, processes)) - before
    with zipfile.ZipFile(io.BytesIO(answered.raise_for_status().content)) as archive:
        found = [one for one in archive.namelist() if one.endswith(".zip") or one == "manifest.json"]
    if len(found) != count:
        raise RuntimeError(f"there are {len(found)} packs and not {count}")
    yield Figure(name=name, unit="s", value=seconds)
    yield Figure(name="  processor time of control and scribe", unit="s", value=worked)
