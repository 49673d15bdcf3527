"""pgbouncer in session mode beside Sojourn: what a relay in C that records nothing makes of the same load."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sojourn.demo.production import free_port

from .stage import Stage

START_SECONDS = 10.0
SYSTEM_USER = "nobody"
_SETTINGS = """\
[databases]
{database} = host={host} port={port} dbname={database} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
auth_type = plain
auth_file = {users}
pool_mode = session
default_pool_size = 100
max_client_conn = 400
unix_socket_dir =
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bouncer:
    """A running pgbouncer: the environment of its clients, and its process."""

    way: dict[str, str]
    pid: int


@contextmanager
def bouncer(stage: Stage) -> Iterator[Bouncer | None]:
    """One over the same database while the context lasts; None, and a line that says so, where it is not installed."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    if program is None:
        sys.stderr.write("pgbouncer is not installed (Debian: apt-get install pgbouncer); its figures are left out\n")
        yield None
        return
    direct = stage.direct
    own = free_port()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "users.txt").write_text(f'"{direct["PGUSER"]}" "{direct["PGPASSWORD"]}"\n')
        (directory / "bouncer.ini").write_text(
            _SETTINGS.format(
                database=direct["PGDATABASE"],
                host=direct["PGHOST"],
                port=direct["PGPORT"],
                user=direct["PGUSER"],
                password=direct["PGPASSWORD"],
                own=own,
                users=directory / "users.txt",
            )
        )
        running = subprocess.Popen(
            [program, "-q", "-u", SYSTEM_USER, str(directory / "bouncer.ini")], stderr=subprocess.DEVNULL
        )
        try:
            wait_for(own)
            yield Bouncer(way={**direct, "PGPORT": str(own)}, pid=running.pid)
        finally:
            running.terminate()
            running.wait()


def wait_for(port: int) -> None:
    """Return once somebody listens there. Raises OSError when nobody does in time."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
