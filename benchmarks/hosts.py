"""SSH through the gateway, beside OpenSSH alone and beside a jump through OpenSSH (`ssh -J`), to one real sshd."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import tempfile
import time
import tty
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sojourn.demo.installation import TARGETS_FILE
from sojourn.demo.production import production
from sojourn.testing.installation import PASSWORD, Running, running
from sojourn.testing.sshd import ACCOUNT, sshd
from sojourn.vault.ssh_authority import GRANTS, Authority, Certificate, authority, private_file, public_line

from .figures import Figure, percentile

PER_SECOND = 10
AT_ONCE_MAX = 64

TARGET = """\
  web-1:
    kind: ssh
    host: 127.0.0.1
    port: {port}
    host_keys: ["{key}"]
    administrator: root
    revoked_keys: {revoked}
    roles:
      operator: {{ login: {account}, shell: true, files: write, connections: 100 }}
      kept: {{ login: {account}, shell: true, kept_bytes: 1073741824 }}
      unkept: {{ login: {account}, shell: true, kept_bytes: 0 }}
"""
POLICY = """\
rules:
  web-work:
    who: { teams: [engineering] }
    targets: [web-1]
    roles: [operator, kept, unkept]
    longest: 8h
    approvers: { teams: [engineering] }
"""
SETTINGS = """\
gateway: { port: 0, ssh: true, ssh_port: 0 }
control: { port: 0 }
scribe: { origin: sojourn-bench.localhost/ledger }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How `ssh` gets there: `direct`, by a `jump`, or by the `gateway`. `process` is the gateway's."""

    direct: list[str]
    jump: list[str]
    gateway: list[str]
    process: int


def measured(*, quick: bool) -> Iterator[Figure]:
    """Everything that the SSH door is measured by."""
    with _ways() as ways:
        yield from _connecting(ways, 20 if quick else 300)
        yield from _bulk(ways, (50 if quick else 500) * 1_000_000, 2 if quick else 5)
        yield from _echo(ways, 200 if quick else 3000)
        yield from _terminal(ways, (10 if quick else 100) * 1_000_000)
        yield from _recording(ways, (10 if quick else 100) * 1_000_000, 1 if quick else 3)
        yield from _idle(ways, 50 if quick else 500)
        yield from _connections(ways, 20 if quick else 100)


def steady(*, quick: bool) -> Iterator[Figure]:
    """Ten connections a second that each run `true`, for five minutes, straight and through the gateway."""
    seconds = 5 if quick else 300
    with _ways() as ways:
        direct, through = _paced(ways.direct, seconds), _paced(ways.gateway, seconds)
    for part, word in ((0.5, "p50"), (0.99, "p99")):
        value = percentile(through, part)
        yield Figure(
            name=f"ssh: connect and run `true`, 10/s for {seconds} s, {word}",
            unit="ms",
            value=value,
            direct=percentile(direct, part),
            ratio=value / percentile(direct, part),
        )


@contextmanager
def _ways() -> Iterator[Ways]:
    with tempfile.TemporaryDirectory(prefix="sojourn-bench-ssh-") as place:
        directory = Path(place)
        directory.chmod(0o755)
        with (
            production(directory / "pg", password=PASSWORD) as server,
            sshd(directory / "host", authority="") as host,
        ):
            target = TARGET.format(port=host.port, key=host.host_key, revoked=host.revoked, account=ACCOUNT)
            written = TARGETS_FILE + target.replace("{", "{{").replace("}", "}}")
            with running(directory / "whole", server, policy=POLICY, targets=written, settings=SETTINGS) as found:
                one = found.installation
                grants = authority(one.layout.keys, GRANTS)
                (host.directory / "authority.pub").write_text(grants.public + "\n")
                for role in ("operator", "kept", "unkept"):
                    _access(found, role)
                one.sojourn("login", "alice", "--url", one.address, stdin=PASSWORD + "\n")
                config = one.ask("ssh-config", person="alice")["file"]
                direct = _direct(directory, host.port, grants)
                jump = f"ProxyCommand={' '.join(direct)} -W 127.0.0.1:{host.port} 127.0.0.1"
                process = json.loads((one.layout.run / "gateway.json").read_text())["pid"]
                yield Ways(
                    direct=[*direct, "127.0.0.1"],
                    jump=[*direct, "-o", jump, "127.0.0.1"],
                    gateway=["ssh", "-F", config, "-o", "BatchMode=yes", "-l", "web-1+operator", "web-1"],
                    process=process,
                )


def _access(found: Running, role: str) -> None:
    asked = {"target": "web-1", "role": role, "duration": "4h", "reason": "to measure"}
    made = found.post("/requests", asked, person="alice")
    found.post(f"/requests/{made['request']}/approve", {"digest": made["digest"]}, person="bob")
    found.post(f"/requests/{made['request']}/activate", person="alice")


def _direct(directory: Path, port: int, grants: Authority) -> list[str]:
    """`ssh` straight to the host, by a certificate that it trusts."""
    private, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
    key = directory / "direct"
    key.write_bytes(private_file(private))
    key.chmod(0o600)
    certificate = Certificate(
        key_id="bench",
        principals=(ACCOUNT,),
        since=now,
        until=now + timedelta(hours=8),
        permits=("permit-pty", "permit-port-forwarding"),
    )
    (directory / "direct-cert.pub").write_text(grants.certify(public_line(private), certificate, serial=1) + "\n")
    options = ["BatchMode=yes", "IdentityAgent=none", "StrictHostKeyChecking=no", "LogLevel=ERROR"]
    options += [f"UserKnownHostsFile={directory}/hosts", f"User={ACCOUNT}", f"Port={port}"]
    return ["ssh", "-F", "none", "-i", str(key), *(part for one in options for part in ("-o", one))]


def _connecting(ways: Ways, count: int) -> Iterator[Figure]:
    taken: dict[str, list[float]] = {"direct": [], "jump": [], "gateway": []}
    for _ in range(count):
        for name, way in (("direct", ways.direct), ("jump", ways.jump), ("gateway", ways.gateway)):
            began = time.perf_counter()
            subprocess.run([*way, "true"], check=True, stdin=subprocess.DEVNULL)
            taken[name].append((time.perf_counter() - began) * 1000)
    for part, word in ((0.5, "p50"), (0.99, "p99")):
        direct, through = percentile(taken["direct"], part), percentile(taken["gateway"], part)
        yield Figure(name=f"ssh: connect and run `true`, {word} above direct", unit="ms", value=through - direct)
        jump = percentile(taken["jump"], part) - direct
        yield Figure(name=f"ssh -J: connect and run `true`, {word} above direct", unit="ms", value=jump)


def _paced(way: Sequence[str], seconds: int) -> list[float]:
    """Milliseconds of each of ten connections a second, however long the others take. Raises if one fails."""

    def once(number: int) -> float:
        time.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
        started = time.perf_counter()
        subprocess.run([*way, "true"], check=True, stdin=subprocess.DEVNULL)
        return (time.perf_counter() - started) * 1000

    began = time.perf_counter()
    with ThreadPoolExecutor(max_workers=AT_ONCE_MAX) as pool:
        return list(pool.map(once, range(seconds * PER_SECOND)))


def _bulk(ways: Ways, size: int, rounds: int) -> Iterator[Figure]:
    for word, command in (("down", f"head -c {size} /dev/zero"), ("up", "cat >/dev/null")):
        rates: dict[str, list[float]] = {"direct": [], "jump": [], "gateway": []}
        for _ in range(rounds):
            for name, way in (("direct", ways.direct), ("jump", ways.jump), ("gateway", ways.gateway)):
                rates[name].append(_rate([*way, command], size, up=word == "up"))
        best = {name: max(found) for name, found in rates.items()}
        for name, said in (("gateway", "through the gateway"), ("jump", "by ssh -J")):
            yield Figure(
                name=f"ssh: {size // 1_000_000} MB {word}, {said}",
                unit="MB/s",
                value=best[name],
                direct=best["direct"],
                ratio=best[name] / best["direct"],
            )


def _rate(command: Sequence[str], size: int, *, up: bool) -> float:
    began = time.perf_counter()
    if up:
        source = subprocess.Popen(["head", "-c", str(size), "/dev/zero"], stdout=subprocess.PIPE)
        subprocess.run(command, check=True, stdin=source.stdout)
        source.wait()
    else:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return size / 1_000_000 / (time.perf_counter() - began)


def _echo(ways: Ways, count: int) -> Iterator[Figure]:
    direct, through = _echoes(ways.direct, count), _echoes(ways.gateway, count)
    for part, word in ((0.5, "p50"), (0.99, "p99")):
        added = percentile(through, part) - percentile(direct, part)
        yield Figure(name=f"ssh: echo of a key in a recorded terminal, {word} above direct", unit="ms", value=added)


def _echoes(way: Sequence[str], count: int) -> list[float]:
    """Milliseconds from a key to its echo."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    process = subprocess.Popen([*way[:-1], "-tt", way[-1], "cat"], stdin=theirs, stdout=theirs)
    taken = []
    try:
        time.sleep(2)
        for _ in range(count):
            began = time.perf_counter()
            os.write(ours, b"x")
            while b"x" not in os.read(ours, 100):
                continue
            taken.append((time.perf_counter() - began) * 1000)
            time.sleep(0.002)
    finally:
        process.terminate()
        process.wait()
        os.close(ours)
        os.close(theirs)
    return taken


def _terminal(ways: Ways, size: int) -> Iterator[Figure]:
    command = f"head -c {size} /dev/zero | tr '\\0' x"
    plain = _rate([*ways.gateway, command], size, up=False)
    recorded = _rate([*ways.gateway[:-1], "-tt", ways.gateway[-1], command], size, up=False)
    direct = _rate([*ways.direct[:-1], "-tt", ways.direct[-1], command], size, up=False)
    yield Figure(name="ssh: output in bulk, recorded in a terminal", unit="MB/s", value=recorded, direct=direct)
    yield Figure(name="ssh: output in bulk, of which 1 MiB is kept", unit="MB/s", value=plain, direct=direct)


def _recording(ways: Ways, size: int, rounds: int) -> Iterator[Figure]:
    """Output in bulk of which all is kept, and of which nothing is: what recording costs."""
    rates: dict[str, float] = {}
    for role in ("kept", "unkept"):
        way = [one.replace("+operator", f"+{role}") for one in ways.gateway]
        # Text, as it is what terminals show.
        command = f"head -c {size} /dev/zero | tr '\\0' x"
        rates[role] = max(_rate([*way, command], size, up=False) for _ in range(rounds))
    yield Figure(
        name="ssh: output in bulk, all kept beside nothing kept",
        unit="MB/s",
        value=rates["kept"],
        direct=rates["unkept"],
        ratio=rates["kept"] / rates["unkept"],
    )


def _connections(ways: Ways, count: int) -> Iterator[Figure]:
    """Idle shells on a connection each."""
    before = _memory(ways.process)
    held = []
    for _ in range(count):
        way = [*ways.gateway[:-1], "-tt", ways.gateway[-1], "echo in; cat"]
        held.append(subprocess.Popen(way, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        assert held[-1].stdout is not None
        held[-1].stdout.readline()
    each = (_memory(ways.process) - before) / count
    yield Figure(name=f"ssh: memory of an idle shell on a connection of its own, of {count}", unit="MB", value=each)
    for one in held:
        one.terminate()
        one.wait()


def _idle(ways: Ways, shells: int) -> Iterator[Figure]:
    before = _memory(ways.process)
    with tempfile.TemporaryDirectory() as place:
        masters = [f"{place}/{number}" for number in range((shells + 9) // 10)]
        held = []
        for master in masters:
            held.append(subprocess.Popen([*ways.gateway[:-1], "-o", f"ControlPath={master}", "-MN", ways.gateway[-1]]))
            while not Path(master).exists():
                time.sleep(0.02)
        for number in range(shells):
            way = [*ways.gateway[:-1], "-o", f"ControlPath={masters[number % len(masters)]}", "-tt", ways.gateway[-1]]
            held.append(subprocess.Popen(way, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
        time.sleep(5 + shells / 20)
        yield Figure(name=f"ssh: memory of {shells} idle shells", unit="MB", value=_memory(ways.process) - before)
        for one in reversed(held):
            one.terminate()
            one.wait()


def _memory(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise ValueError("the gateway is gone")
