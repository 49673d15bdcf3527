"""Control "one access, made once": two control processes over one ledger, both of them real, share the work."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sojourn.app.kept import reading
from sojourn.demo.production import Production
from sojourn.domain.events import GrantLeased, GrantProvisioned, GrantRemoved
from sojourn.scribe import codec
from sojourn.settings import Layout
from sojourn.testing.installation import Running, running

SECONDS = 60.0
GRANTS = 6


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("nodes") / "one", production) as one:
        yield one


@contextmanager
def second_node(one: Running, root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another control process, with a directory and read models of its own, over the same ledger and the same keys."""
    layout, first = Layout(root=root), one.installation.layout
    for name in ("config", "keys", "tls"):
        shutil.copytree(first.root / name, root / name)
    shutil.copy(first.verifier_key, layout.verifier_key)
    layout.run.mkdir()
    for directory in (root, layout.configuration, layout.keys, layout.run):
        directory.chmod(0o700)
    layout.scribe_socket.symlink_to(first.scribe_socket)
    with (root.parent / "second.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sojourn", "serve", "--data", str(root), "--only", "control"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: (layout.run / "control.json").exists(), "the second node serves")
        yield process
    finally:
        process.kill()
        process.wait()


def until(so: Any, what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not so():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


def events(one: Running, grant: str) -> list[Any]:
    with reading(one.installation.layout) as kept:
        return [codec.decode(entry.kind, entry.body) for entry in kept.stream(f"grant/{grant}")]


def of(found: list[Any], kind: type[Any]) -> list[Any]:
    return [event for event in found if isinstance(event, kind)]


def logins(one: Running) -> list[str]:
    """The temporary logins at the target."""
    with one.production.superuser() as connection:
        rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'sojourn\\_g%'").fetchall()
    return [str(name) for (name,) in rows]


def finished(one: Running, grant: str) -> bool:
    return bool(of(events(one, grant), GrantRemoved))


def test_two_control_processes_make_every_access_once_and_take_it_back_once(sojourn: Running, tmp_path: Path) -> None:
    with second_node(sojourn, tmp_path / "two"):
        grants = [sojourn.granted()["grant"] for _ in range(GRANTS)]
        for grant in grants:
            until(lambda one=grant: of(events(sojourn, one), GrantProvisioned), f"{grant} is made")
        for grant in grants:
            sojourn.post(f"/grants/{grant}/revoke", person="carol")
        for grant in grants:
            until(lambda one=grant: finished(sojourn, one), f"{grant} is gone")
    makers = set()
    for grant in grants:
        found = events(sojourn, grant)
        (made,) = of(found, GrantProvisioned)
        leases = of(found, GrantLeased)
        assert leases[0].node == made.node and len(leases) == 2
        assert len(of(found, GrantRemoved)) == 1
        makers.add(made.node)
    assert all("/control-" in name for name in makers)
    assert not set(logins(sojourn)) & {event.credential for one in grants for event in events(sojourn, one)[:1]}


def test_what_a_killed_node_had_begun_is_gone_on_with_by_itself_in_the_same_seat(sojourn: Running) -> None:
    """The node dies at any moment of making accesses; started again it goes on at once, and no lease is in its way."""
    grants = [sojourn.granted()["grant"] for _ in range(3)]
    control = json.loads((sojourn.installation.layout.run / "control.json").read_text())["pid"]
    os.kill(control, signal.SIGKILL)
    begun = time.monotonic()
    for grant in grants:
        until(lambda one=grant: of(events(sojourn, one), GrantProvisioned), f"{grant} is made")
    assert time.monotonic() - begun < SECONDS / 2, "a lease of the process before was waited for"
    nodes = {event.node for grant in grants for event in of(events(sojourn, grant), GrantLeased)}
    assert len(nodes) == 1
    for grant in grants:
        until(lambda: _revoked(sojourn, grant), "control answers again")  # noqa: B023
        until(lambda: finished(sojourn, grant), f"{grant} is gone")  # noqa: B023


def _revoked(one: Running, grant: str) -> bool:
    import httpx2

    try:
        return one.send("POST", f"/grants/{grant}/revoke", {}, person="carol").status_code < 500
    except (httpx2.HTTPError, OSError):
        return False
