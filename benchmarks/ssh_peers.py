"""`make peer-suites-ssh SUITES=folder`: SSH programs as people run them, to a host directly and through Sojourn."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sojourn.demo.installation import TARGETS_FILE
from sojourn.demo.production import production
from sojourn.testing.installation import PASSWORD, Running, running
from sojourn.testing.sshd import sshd
from sojourn.vault.ssh_authority import GRANTS, authority

SCRIPT = "run_ssh_cli.sh"
_LAST = re.compile(r"(\d+) passed, (\d+) failed")

TARGET = """\
  web-1:
    kind: ssh
    host: 127.0.0.1
    port: {port}
    host_keys: ["{key}"]
    administrator: root
    revoked_keys: {revoked}
    roles:
      forwarding:
        login: root
        shell: true
        files: write
        connections: 100
        forward_to: ["127.0.0.1:*"]
        listen_on: ["localhost:0"]
        agent: true
      plain: {{ login: root, shell: true, files: write, connections: 100 }}
"""
POLICY = """\
rules:
  web-work:
    who: { teams: [engineering] }
    targets: [web-1]
    roles: [forwarding, plain]
    longest: 8h
    approvers: { teams: [engineering] }
"""
SETTINGS = """\
gateway: { port: 0, ssh: true, ssh_port: 0 }
control: { port: 0 }
scribe: { origin: sojourn-peers.localhost/ledger }
"""
Way = tuple[str, str, int, str, bool]
"""What it is called, where the server listens, the name to log in with, and whether forwarding is denied."""


@contextmanager
def ways(directory: Path, key: Path) -> Iterator[list[Way]]:
    """The host itself and the gateway before it, both of which take that key. Needs to be root."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    known = f"Match all\n  AuthorizedKeysFile {key}.pub"
    with (
        production(directory / "pg", password=PASSWORD) as server,
        sshd(directory / "host", authority="", more=known) as host,
    ):
        target = TARGET.format(port=host.port, key=host.host_key, revoked=host.revoked)
        written = TARGETS_FILE + target.replace("{", "{{").replace("}", "}}")
        with running(directory / "whole", server, policy=POLICY, targets=written, settings=SETTINGS) as found:
            one = found.installation
            (host.directory / "authority.pub").write_text(authority(one.layout.keys, GRANTS).public + "\n")
            for role in ("forwarding", "plain"):
                _access(found, role)
            one.sojourn("login", "alice", "--url", one.address, stdin=PASSWORD + "\n")
            added = one.sojourn("ssh-key", "add", f"{key}.pub", person="alice")
            assert added.returncode == 0, added.stderr
            configuration = Path(one.ask("ssh-config", person="alice")["file"]).read_text()
            match = re.search(r"Port (\d+)", configuration)
            assert match is not None, configuration
            port = int(match.group(1))
            yield [
                ("direct", "127.0.0.1", host.port, "root", False),
                ("through Sojourn, forwarding allowed", "127.0.0.1", port, "web-1+forwarding", False),
                ("through Sojourn, forwarding denied", "127.0.0.1", port, "web-1+plain", True),
            ]


def _access(found: Running, role: str) -> None:
    asked = {"target": "web-1", "role": role, "duration": "4h", "reason": "to run their suites"}
    made = found.post("/requests", asked, person="alice")
    found.post(f"/requests/{made['request']}/approve", {"digest": made["digest"]}, person="bob")
    found.post(f"/requests/{made['request']}/activate", person="alice")


def main() -> int:
    """Run the command. Exit status 1 if anything failed on any way."""
    parser = argparse.ArgumentParser(prog="make peer-suites-ssh", description="Run SSH clients through Sojourn.")
    parser.add_argument("suites", type=Path, help="the folder of the scripts")
    parser.add_argument("--logs", type=Path, default=Path(tempfile.gettempdir()), help="where their output goes")
    wanted = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="sojourn-peers-"))
    place.chmod(0o755)
    told: dict[str, tuple[str, str]] = {}
    try:
        with ways(place, place / "key") as all_ways:
            for name, host, port, user, denied in all_ways:
                environment = {**os.environ, "PEER_TMP": str(wanted.logs / "sojourn-peer-suites")}
                if denied:
                    environment["POLICY"] = "deny_forward"
                command = ["bash", str(wanted.suites / SCRIPT), host, str(port), user, str(place / "key")]
                ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
                (wanted.logs / f"ssh-{name.replace(', ', '-').replace(' ', '-')}.log").write_text(
                    ran.stdout + ran.stderr
                )
                found = _LAST.findall(ran.stdout)
                told[name] = found[-1] if found else ("?", "?")
                sys.stderr.write(f"{name}: {' / '.join(told[name])}\n")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print("| passed / failed | " + " | ".join(told) + " |")
    print("| SSH clients | " + " | ".join(" / ".join(one) for one in told.values()) + " |")
    return 0 if all(failed == "0" for _, failed in told.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
