"""PostgreSQL 15 as Debian builds it: the oldest version that Sojourn opens, and one that speaks TLS."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sojourn.demo.production import Production, launch

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
    """Install it if it is not there; one process at a time does. Raises CalledProcessError where that is impossible."""
    if PROGRAMS.exists():
        return
    # The package would make and start a cluster of its own, on a port that others may want.
    configuration = Path("/etc/postgresql-common/createcluster.conf")
    configuration.parent.mkdir(parents=True, exist_ok=True)
    if not configuration.exists():
        configuration.write_text("create_main_cluster = false\nstart_conf = 'manual'\n")
    packages(PROGRAMS / "initdb", "postgresql-15")


def packages(program: Path, *names: str) -> None:
    """Install these packages if `program`, which comes with them, is not there; one process at a time does.

    Raises CalledProcessError where that is impossible.
    """
    if program.exists():
        return
    with (Path(tempfile.gettempdir()) / "sojourn-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program.exists():
            return
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *names]):
            subprocess.run(["apt-get", *arguments], check=True, capture_output=True, env=environment)
