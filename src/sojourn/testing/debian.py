"""PostgreSQL 15 as Debian builds it: the oldest version that Sojourn opens, and one that speaks TLS."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sojourn.demo.production import Production, launch

from . import packages

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
USER = "postgres"


@contextmanager
def debian(directory: Path, *, password: str, options: tuple[str, ...] = ()) -> Iterator[Production]:
    """A server with the shop in it, in the new `directory`, while the context lasts.

    `password` becomes that of Sojourn's account, `options` are settings of the server (`name=value`).
    """
    install()
    data = directory / "data"
    data.mkdir(parents=True)
    root = os.geteuid() == 0
    if root:
        shutil.chown(directory, USER)
        shutil.chown(data, USER)
        for above in directory.parents:
            if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
                above.chmod(above.stat().st_mode | 0o011)
    subprocess.run(
        [PROGRAMS / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        user=USER if root else None,
        cwd="/",
    )
    server = launch(directory, PROGRAMS, user=USER if root else None, password=password, options=options)
    try:
        yield server
    finally:
        server.stop()


def install() -> None:
    """Install it if it is not there. Raises RuntimeError where that is impossible."""
    if PROGRAMS.exists():
        return
    # The package would make and start a cluster of its own, on a port that others may want.
    configuration = Path("/etc/postgresql-common/createcluster.conf")
    configuration.parent.mkdir(parents=True, exist_ok=True)
    if not configuration.exists():
        configuration.write_text("create_main_cluster = false\nstart_conf = 'manual'\n")
    packages.install({"postgresql-15": PROGRAMS / "initdb"})
