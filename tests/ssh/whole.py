"""All of Sojourn with `sojourn serve`, before a real host."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sojourn.demo.installation import TARGETS_FILE
from sojourn.demo.production import Production
from sojourn.testing.installation import PASSWORD, Running, running
from sojourn.testing.sshd import ACCOUNT, Sshd, sshd

Whole = tuple[Running, Sshd]
"""An installation that serves SSH, and its host."""

TARGETS = """\
  web-1:
    kind: ssh
    host: 127.0.0.1
    port: {port}
    host_keys: ["{key}"]
    administrator: root
    source_addresses: [127.0.0.1]
    revoked_keys: {revoked}
    log: {log}
    roles:
      operator: {{ login: {account}, shell: true, files: write }}
      sudoer: {{ login: {account}, shell: true, sudo: ["(root) NOPASSWD: /usr/bin/id -un"] }}
      guest: {{ temporary: true, shell: true, groups: [games] }}
"""
POLICY = """\
rules:
  web-work:
    who: { teams: [engineering] }
    targets: [web-1]
    roles: [operator, guest, sudoer]
    longest: 4h
    approvers: { teams: [engineering] }
"""
SETTINGS = """\
gateway: { port: 0, ssh: true, ssh_port: 0 }
control: { port: 0, reconcile_seconds: 600 }
scribe: { origin: sojourn-ssh.localhost/ledger }
"""


@contextmanager
def whole(production: Production) -> Iterator[Whole]:
    """An installation that serves SSH, and its host."""
    with tempfile.TemporaryDirectory(prefix="sojourn-ssh-whole-") as place:
        directory = Path(place)
        directory.chmod(0o755)
        with sshd(directory / "host", authority="") as host:
            targets = TARGETS.format(
                port=host.port, key=host.host_key, revoked=host.revoked, log=host.log, account=ACCOUNT
            )
            # What is no place for a value has its braces twice, as the whole is a template.
            written = TARGETS_FILE + targets.replace("{", "{{").replace("}", "}}")
            installation = running(directory / "whole", production, policy=POLICY, targets=written, settings=SETTINGS)
            with installation as found:
                setup = found.get("/targets/web-1/ssh-setup", person="carol")
                (host.directory / "authority.pub").write_text(setup["authority"] + "\n")
                for person in ("alice", "carol", "dora"):
                    signed = found.installation.sojourn(
                        "login", person, "--url", found.installation.address, stdin=PASSWORD + "\n"
                    )
                    assert signed.returncode == 0, signed.stderr
                yield found, host


def access(found: Running, role: str) -> str:
    """An access of alice's that somebody else approved; gives the grant."""
    asked = {"target": "web-1", "role": role, "duration": "10m", "reason": "to test"}
    made = found.post("/requests", asked, person="alice")
    found.post(f"/requests/{made['request']}/approve", {"digest": made["digest"]}, person="bob")
    return str(found.post(f"/requests/{made['request']}/activate", person="alice")["grant"])


def ssh_command(found: Running, *arguments: str) -> list[str]:
    """`ssh` as alice has it from `sojourn ssh-config`."""
    written = found.installation.ask("ssh-config", person="alice")
    return ["ssh", "-F", written["file"], "-o", "BatchMode=yes", *arguments]


def ssh(found: Running, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    command = ssh_command(found, *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, input=stdin)


def until(what: str, true: Callable[[], Any]) -> Any:
    """Wait for something to come true; gives it."""
    deadline = time.monotonic() + 40
    while not (seen := true()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return seen


def process_of(found: Running, name: str) -> int:
    """The number of the installation's process of that name; 0 while there is none."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if name.encode() in words and any(str(found.installation.layout.root).encode() in word for word in words):
            return int(place.name)
    return 0
