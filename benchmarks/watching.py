"""What it costs that people watch a session while it lasts, and how soon a very long one opens.

Two hundred viewers hold a stream of events each, of one session in which statements follow each other; what they cost
is control's processor time with them less that without them. Then a session gets 100,000 actions, and its page is asked
for.
"""

from __future__ import annotations

import json
import secrets
import selectors
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sojourn.demo.production import production
from sojourn.projections.projector import Projections
from sojourn.testing.browser import Browser, signed_in
from sojourn.testing.filled import Client, connected, until
from sojourn.testing.installation import Running, running

from .figures import Figure, cpu_seconds, percentile

VIEWERS = 200
STATEMENTS_PER_SECOND = 20
LONG = 100_000


def measured(*, quick: bool) -> Iterator[Figure]:
    """Viewers first, then the long session."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        Path(one).chmod(0o755)
        with (
            production(Path(one) / "production", password=secrets.token_urlsafe(24)) as server,
            running(Path(other) / "home", server) as found,
        ):
            seconds = 4.0 if quick else 20.0
            session = ""
            for viewers in (1, VIEWERS):
                grant = found.granted(duration="1h")["grant"]
                with connected(found) as client:
                    client.execute("select 1")
                    (opened, *_) = until(lambda name=grant: _sessions(found, name))  # type: ignore[misc]
                    session = opened["session"]
                    yield from _watched(found, session, client, viewers=viewers, seconds=seconds)
                found.post(f"/grants/{grant}/end", person="alice")
            yield from _long(found, session, turns=20 if quick else 100)


def _sessions(found: Running, grant: str) -> list[dict[str, str]]:
    return list(found.get(f"/sessions?grant={grant}", person="alice")["sessions"])


def _watched(found: Running, session: str, client: Client, *, viewers: int, seconds: float) -> Iterator[Figure]:
    pid = _control(found)
    idle = _working(pid, client, seconds)
    with _viewers(found, session, viewers) as crowd:
        cost = _working(pid, client, seconds)
        time.sleep(1.0)
        told = crowd.received
    name = f"{viewers} viewer{'s' if viewers > 1 else ''} of a session with {STATEMENTS_PER_SECOND} statements/s"
    yield Figure(name=name, unit="% of a core", value=(cost - idle) * 100)
    yield Figure(name="  without them", unit="% of a core", value=idle * 100)
    yield Figure(name="  each was told", unit="kB/s", value=told / viewers / seconds / 1e3)


def _control(found: Running) -> int:
    return int(json.loads((found.installation.layout.run / "control.json").read_text())["pid"])


def _working(pid: int, client: Client, seconds: float) -> float:
    """Control's share of a core while statements run at a steady rate."""
    start, before = time.monotonic(), cpu_seconds(pid)
    for number in range(int(seconds * STATEMENTS_PER_SECOND)):
        client.execute("select status from shop.orders limit 1")
        time.sleep(max(0.0, start + number / STATEMENTS_PER_SECOND - time.monotonic()))
    return (cpu_seconds(pid) - before) / (time.monotonic() - start)


@dataclass(slots=True)
class _Crowd:
    """Viewers that read all that comes."""

    selector: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)
    received: int = 0
    over: bool = False

    def read(self) -> None:
        while not self.over:
            for key, _ in self.selector.select(0.2):
                assert isinstance(key.fileobj, socket.socket)
                part = key.fileobj.recv(65536)
                self.received += len(part)
                if not part:
                    self.selector.unregister(key.fileobj)


@contextmanager
def _viewers(found: Running, session: str, count: int) -> Iterator[_Crowd]:
    address, crowd = urlsplit(found.installation.address), _Crowd()
    asked = (
        f"GET /api/v1/sessions/{session}/events HTTP/1.1\r\nhost: x\r\n"
        f"authorization: Bearer {found.tokens['dora']}\r\n\r\n"
    )
    with ExitStack() as stack:
        for _ in range(count):
            viewer = socket.create_connection((address.hostname or "", address.port or 0), timeout=30)
            stack.callback(viewer.close)
            viewer.sendall(asked.encode())
            assert viewer.recv(65536).startswith(b"HTTP/1.1 200")
            crowd.selector.register(viewer, selectors.EVENT_READ)
        reader = threading.Thread(target=crowd.read, daemon=True)
        reader.start()
        time.sleep(1.0)
        crowd.received = 0
        yield crowd
        crowd.over = True
        reader.join()


def _long(found: Running, session: str, *, turns: int) -> Iterator[Figure]:
    """The page of a session with very many actions: its first page, one far down, and a search without a find."""
    found.installation.stop()
    models = Projections.open(found.installation.layout.projections)
    with models.engine.begin() as connection:
        held = connection.connection.driver_connection
        assert held is not None
        held.execute("DELETE FROM action WHERE session = ?", (session,))
        columns = "read", 0, "shop.orders", "0" * 64, "completed", "SELECT 1", "", 1, 40, 900, None
        rows = ((session, number, "2026-01-01T00:00:00.000000Z", *columns, number) for number in range(1, LONG + 1))
        held.executemany(f"INSERT INTO action VALUES ({', '.join('?' * 15)})", rows)
        held.execute("UPDATE session SET actions = ? WHERE id = ?", (LONG, session))
    models.close()
    found.installation.start()
    dora = signed_in(found, "dora")
    pid = _control(found)
    for path in ("", f"?after={LONG // 2}", "?search=payments", "?outcome=failed"):
        _seconds(dora, f"/sessions/{session}{path}")
        before = cpu_seconds(pid)
        times = [_seconds(dora, f"/sessions/{session}{path}") for _ in range(turns)]
        worked = (cpu_seconds(pid) - before) / turns
        name = f"page of a session of {LONG:,} actions {path or '(first)'}"
        yield Figure(name=f"{name}, p95", unit="ms", value=percentile(times, 0.95) * 1e3)
        yield Figure(name=f"{name}, processor time of control", unit="ms", value=worked * 1e3)


def _seconds(browser: Browser, path: str) -> float:
    start = time.perf_counter()
    assert browser.get(path).status_code == 200
    return time.perf_counter() - start
