"""How long the lists take to answer over HTTP with years of a large company in store, and how many approvals a second
the API takes.

A real installation runs over read models that were filled by folding generated entries (`history`). The time is what a
client waits for the whole answer, over one connection that stays open; the client's own part of it is in there.
"""

from __future__ import annotations

import http.client
import json
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sojourn.app.offline import invite_as_operator
from sojourn.cli.client import send
from sojourn.demo.installation import PEOPLE, Installation, installation
from sojourn.demo.production import production
from sojourn.domain.sealed import Sealed
from sojourn.projections import queries
from sojourn.projections.projector import Projections
from sojourn.projections.tables import cursor
from sojourn.testing.browser import Browser
from sojourn.web.api.endpoints import ENDPOINTS, OPEN
from sojourn.web.exchange import COOKIE
from sojourn.web.pages.table import PAGES

from .figures import Figure, percentile
from .history import APART, BUSY, History, named

REQUESTS = 250_000
REASONS = 150
"""Distinct sealed reasons on record, more than a page shows: each is opened for whoever may read it."""

FAR = 1_000_000
"""Entries of the real ledger and made-up ones never meet: so many places lie between them."""

ASKED_WITH = {"/policy/who-can": "?target=shop", "/ledger/consistency": "?old=1"}
"""What some addresses have to be asked with."""

ASKING = "/ask?target=shop&role=read"
"""The page of whoever may have that."""

SEEN = "dora"
"""An auditor: whatever is not timed for anybody else is timed for one who sees everything."""

WAITING = 16
"""Clients that approve at the same time."""


@dataclass(slots=True)
class _Client:
    """One connection of a person who is signed in; it stays open."""

    address: str
    token: str
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        place = urlsplit(self.address)
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of the answer, which has to be a success."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, f"/api/v1{path}", sent, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200, f"{method} {path}: {content[:300]!r}"
        return json.loads(content)

    def seconds(self, path: str) -> float:
        """How long a GET takes."""
        start = time.perf_counter()
        self.send("GET", path)
        return time.perf_counter() - start


def measured(*, quick: bool) -> Iterator[Figure]:
    """Approvals first, over an empty store; then the lists over a full one."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        Path(one).chmod(0o755)
        with (
            production(Path(one) / "production", password=secrets.token_urlsafe(24)) as server,
            installation(Path(other) / "home", server) as running,
        ):
            passwords = {person: secrets.token_urlsafe(18) for person in PEOPLE}
            tokens = {person: _enrol(running, person, password) for person, password in passwords.items()}
            yield from _approvals(running, tokens, count=200 if quick else 2_000)
            running.stop()
            yield from _filled(running.layout.projections, requests=REQUESTS // (25 if quick else 1))
            start = time.perf_counter()
            running.start()
            passed = time.perf_counter() - start
            yield Figure(name="start with all of it in the read models", unit="s", value=passed)
            yield from _pages(running, tokens, turns=20 if quick else 100)
            yield from _browsed(running, passwords, turns=20 if quick else 100)


def _enrol(one: Installation, person: str, password: str) -> str:
    code = invite_as_operator(one.layout, person)["code"]
    send(one.address, "POST", "/enrol", {"person": person, "code": code, "password": password})
    token: str = send(one.address, "POST", "/sign-in", {"person": person, "password": password}).json()["token"]
    return token


def _approvals(running: Installation, tokens: dict[str, str], *, count: int) -> Iterator[Figure]:
    """Bob approves what Alice asked for; an answer comes when the approval is durable and can be read back."""
    asking, body = [], {"target": "shop", "role": "read", "duration": "10m"}
    alice = _Client(running.address, tokens["alice"])
    for number in range(count):
        answer = alice.send("POST", "/requests", {**body, "reason": f"measuring {number % REASONS}"})
        asking.append((answer["request"], answer["digest"]))
    clients = [_Client(running.address, tokens["bob"]) for _ in range(WAITING)]

    def approve(share: int) -> None:
        for request, digest in asking[share::WAITING]:
            clients[share].send("POST", f"/requests/{request}/approve", {"digest": digest})

    start = time.perf_counter()
    with ThreadPoolExecutor(WAITING) as pool:
        for done in [pool.submit(approve, share) for share in range(WAITING)]:
            done.result()
    rate = count / (time.perf_counter() - start)
    yield Figure(name=f"approvals through the API, {WAITING} waiting", unit="approvals/s", value=rate)


def _filled(path: Path, *, requests: int) -> Iterator[Figure]:
    """Fold everything into the read models on disk; the ledger is followed from where it was before."""
    models = Projections.open(path)
    before = models.following
    with models.reading() as connection:
        rows = queries.requests(connection, limit=REASONS)
    reasons = tuple(Sealed(commitment=row.reason, key="k-measured") for row in rows)
    models.following = before + FAR
    # The last of it was just now, so that what pages say of the last month has something to count.
    beginning = datetime.now(UTC) - APART * requests
    history = History(requests=requests, seq=models.following, moment=beginning, sealed=reasons)
    folding = 0.0
    for batch in history.batches():
        start = time.perf_counter()
        models.apply(batch)
        folding += time.perf_counter() - start
    entries = history.seq - before - FAR
    with models.engine.begin() as connection:
        connection.execute(cursor.update().values(following=before))
    models.close()
    yield Figure(
        name=f"events into the read models on disk, {entries:,} of them", unit="events/s", value=entries / folding
    )
    yield Figure(name="  size of the read models", unit="MB", value=path.stat().st_size / 1e6)


def _pages(running: Installation, tokens: dict[str, str], *, turns: int) -> Iterator[Figure]:
    """The 95th percentile of each list: its first page, one far down, and what is asked of it most."""
    clients = {person: _Client(running.address, token) for person, token in tokens.items()}
    asked = list(_asked(clients["carol"]))
    timed = {path.partition("?")[0] for _, path in asked}
    rest = [one.path for one in ENDPOINTS if one.permission is not OPEN and _listed(one.method, one.path)]
    asked.extend((SEEN, path + ASKED_WITH.get(path, "")) for path in rest if path not in timed)
    for person, path in asked:
        client = clients[person]
        client.seconds(path)
        times = [client.seconds(path) for _ in range(turns)]
        yield Figure(name=f"GET {path} ({person}), p95", unit="ms", value=percentile(times, 0.95) * 1e3)


def _listed(method: str, path: str) -> bool:
    """Whether an address is a page of many things, and not one thing or a form."""
    return method == "GET" and "{" not in path


def _asked(reader: _Client) -> Iterator[tuple[str, str]]:
    """Who asks for which page."""
    newest = reader.send("GET", "/requests")["next"]
    middle = (FAR + newest) // 2
    for list_name in ("requests", "grants", "sessions", "attempts"):
        yield "carol", f"/{list_name}"
        yield "carol", f"/{list_name}?before={middle}"
    for path in ("/requests", "/grants", "/sessions", f"/requests?before={middle}", "/requests?waiting=1", "/reviews"):
        yield "alice", path
    for path in (
        "/requests?status=pending",
        "/requests?status=denied",
        f"/requests?status=denied&before={middle}",
        "/grants?status=active",
        "/grants?target=t100",
        f"/grants?target=t100&status=removed&before={middle}",
        "/sessions?open=1",
        f"/sessions?grant={named('g', BUSY)}",
        f"/sessions/{named('s', BUSY)}",
        f"/sessions/{named('s', BUSY)}/actions?after=19000",
        f"/attempts?actor=p100&before={middle}",
        f"/attempts?subject=request/{named('r', BUSY)}",
        "/reviews?all=1",
        f"/reviews?all=1&before={middle}",
        "/reviews?mine=1",
        "/campaigns",
        "/people/p100/look-back",
        "/targets/shop/looks",
        f"/requests/{named('r', BUSY)}",
        f"/grants/{named('g', BUSY)}",
    ):
        yield SEEN, path


def _opened() -> Iterator[tuple[str, str]]:
    """Who opens which page: people theirs, and an auditor every one there is."""
    for path in ("/", "/requests", "/grants", "/sessions", "/reviews", "/catalogue", ASKING):
        yield "alice", path
    for path in ("/", "/requests", "/grants"):
        yield "carol", path
    for one in PAGES:
        if one.permission is not OPEN and _listed(one.method, one.path) and not ASKING.startswith(f"{one.path}?"):
            yield SEEN, one.path + ASKED_WITH.get(one.path, "")
    for kind, letter in (("requests", "r"), ("grants", "g"), ("sessions", "s")):
        yield SEEN, f"/{kind}/{named(letter, BUSY)}"
    for path in ("/people/alice", "/targets/shop", "/ledger/entries/1"):
        yield SEEN, path


def _browsed(running: Installation, passwords: Mapping[str, str], *, turns: int) -> Iterator[Figure]:
    """The same of the pages that people look at, as whole pages of HTML."""
    cookies: dict[str, str] = {}
    for person, path in _opened():
        if person not in cookies:
            stranger = Browser(address=running.address)
            answered = stranger.post("/sign-in", {"person": person, "password": passwords[person]})
            assert answered.status_code == 303, answered.text
            cookies[person] = answered.cookies[COOKIE]
        place = urlsplit(running.address)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
        times = []
        for _ in range(turns + 1):
            start = time.perf_counter()
            connection.request("GET", path, headers={"cookie": f"{COOKIE}={cookies[person]}"})
            answer = connection.getresponse()
            answer.read()
            times.append(time.perf_counter() - start)
            assert answer.status == 200, f"{path}: {answer.status}"
        yield Figure(name=f"page {path} ({person}), p95", unit="ms", value=percentile(times[1:], 0.95) * 1e3)
