"""The demo's own installation: its files, `sojourn serve` over them, and the command line as a person would use it."""

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sojourn.errors import Code, SojournError
from sojourn.settings import Layout
from sojourn.vault.files import write_private

from .production import ADMINISTRATOR, DATABASE, Production

START_SECONDS = 90.0
COMMAND_SECONDS = 60.0
PEOPLE = {"alice": "Alice Arden", "bob": "Bob Brook", "carol": "Carol Cole", "dora": "Dora Dale"}

PEOPLE_FILE = """\
people:
  alice: { name: Alice Arden }
  bob: { name: Bob Brook }
  carol: { name: Carol Cole, administrator: true }
  dora: { name: Dora Dale, auditor: true }
teams:
  engineering: [alice, bob]
"""
TARGETS_FILE = """\
targets:
  shop:
    kind: postgres
    description: The shop's production database
    host: {host}
    port: {port}
    database: {database}
    administrator: {administrator}
    administrator_secret: shop
    tls: disable
    roles:
      read:
        description: Look at everything in the shop
        connections: {connections}
        privileges: [{{ schema: shop, tables: all, verbs: [select] }}]
      fix-status:
        description: Correct the status of orders
        privileges:
          - {{ schema: shop, tables: [orders], verbs: [select] }}
          - {{ schema: shop, tables: [orders], columns: [status], verbs: [update] }}
"""
POLICY_FILE = """\
rules:
  shop-work:
    who: { teams: [engineering] }
    targets: [shop]
    roles: [read, fix-status]
    longest: 4h
    approvers: { teams: [engineering] }
    reason: required
"""
SETTINGS_FILE = """\
gateway: { port: 0 }
control: { port: 0 }
scribe: { origin: sojourn-demo.localhost/ledger }
"""


@dataclass(slots=True)
class Installation:
    """A running installation with four people who can sign in."""

    layout: Layout
    clients: Path
    server: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """The address of the API."""
        held = json.loads((self.layout.run / "control.json").read_text())
        return f"http://{held['host']}:{held['port']}"

    def sojourn(self, *arguments: str, person: str = "", stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `sojourn …` as a person in another shell would."""
        environment = {"SOJOURN_CLIENT_DIR": str(self.clients), "SOJOURN_AS": person, "PGCONNECT_TIMEOUT": "10"}
        return subprocess.run(
            [sys.executable, "-m", "sojourn", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            env={**_inherited(), **environment},
            check=False,
        )

    def ask(self, *arguments: str, person: str) -> Any:
        """The JSON that `sojourn … --json` prints, which is the answer or an `error`."""
        done = self.sojourn(*arguments, "--json", person=person)
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            raise SojournError(Code.SERVICE_UNREACHABLE, address=f"`sojourn {arguments[0]}` ({done.stderr})") from error

    def kill(self, process: str) -> int:
        """End one process as a crash would; gives its process id."""
        if process == "scribe":
            pid = int((self.layout.run / "scribe.lock").read_text())
        else:
            pid = int(json.loads((self.layout.run / f"{process}.json").read_text())["pid"])
        os.kill(pid, signal.SIGKILL)
        while _is_running(pid):
            time.sleep(0.001)
        return pid

    def start(self) -> None:
        """Run `sojourn serve` again after `stop`. Raises SojournError `service.unreachable` when it does not start."""
        for stale in self.layout.run.glob("*.json"):
            stale.unlink()
        self.server = _serve(self.layout)
        _wait(self)

    def stop(self) -> None:
        """End `sojourn serve` in order."""
        self.server.send_signal(signal.SIGTERM)
        try:
            self.server.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _inherited() -> dict[str, str]:
    from sojourn.app.ambient import process_environment

    return {name: value for name, value in process_environment().items() if not name.startswith(("PG", "SOJOURN_"))}


def write_files(
    layout: Layout,
    server: Production,
    *,
    connections: int,
    people: str,
    policy: str,
    targets: str = TARGETS_FILE,
    settings: str = SETTINGS_FILE,
) -> None:
    """Write the demo's people, target, policy and settings; `read` allows so many connections at a time."""
    secrets = layout.configuration / "secrets"
    secrets.mkdir(parents=True)
    for directory in (layout.root, layout.configuration, secrets):
        directory.chmod(0o700)
    targets = targets.format(
        host=server.host,
        port=server.port,
        database=DATABASE,
        administrator=ADMINISTRATOR,
        connections=connections,
    )
    files = {"people": people, "targets": targets, "policy": policy, "settings": settings}
    for name, content in files.items():
        (layout.configuration / f"{name}.yaml").write_text(content)
    write_private(secrets / "shop", server.administrator_password.encode())


@contextmanager
def installation(
    directory: Path,
    server: Production,
    *,
    connections: int = 4,
    people: str = PEOPLE_FILE,
    policy: str = POLICY_FILE,
    targets: str = TARGETS_FILE,
    settings: str = SETTINGS_FILE,
) -> Iterator[Installation]:
    """An installation in `directory` over the production `server`, while the context lasts.

    `connections` is how many a grant of the role `read` may have open at a time; `people` is people.yaml,
    `policy` policy.yaml, `settings` settings.yaml, and `targets` the template of targets.yaml.
    Raises SojournError `service.unreachable` when it does not start.
    """
    layout = Layout(root=directory / "installation")
    stop_leftover(layout)
    shutil.rmtree(directory, ignore_errors=True)
    write_files(
        layout, server, connections=connections, people=people, policy=policy, targets=targets, settings=settings
    )
    one = Installation(layout=layout, clients=directory / "people", server=_serve(layout))
    try:
        _wait(one)
        yield one
    finally:
        one.stop()


def _log(layout: Layout) -> Path:
    return layout.root.parent / "serve.log"


def _serve(layout: Layout) -> subprocess.Popen[bytes]:
    with _log(layout).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "sojourn", "serve", "--data", str(layout.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=_inherited(),
        )


def stop_leftover(layout: Layout) -> None:
    """End what an earlier demo that was killed has left running over this directory."""
    try:
        pid = int((layout.run / "serve.lock").read_text())
        if str(layout.root).encode() not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.05)
    except (OSError, ValueError):
        return


def _wait(one: Installation) -> None:
    deadline = time.monotonic() + START_SECONDS
    files = [one.layout.run / f"{name}.json" for name in ("control", "gateway")]
    while not all(file.exists() for file in files):
        if one.server.poll() is not None or time.monotonic() > deadline:
            raise SojournError(
                Code.SERVICE_UNREACHABLE, address=_log(one.layout).read_text(errors="replace").strip()[-500:]
            )
        time.sleep(0.02)
