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

from .figures import Figure, cpu_seconds, percentile

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
        yield from _connecting(ways, 20 if quick else 100)
        yield from _bulk(ways, (50 if quick else 500) * 1_000_000, 2 if quick else 5)
        yield from _echo(ways, 200 if quick else 3000)
        yield from _recording(ways, (10 if quick else 50) * 1_000_000, 1 if quick else 5)
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
        used = cpu_seconds(ways.process)
        for _ in range(rounds):
            for name, way in (("direct", ways.direct), ("jump", ways.jump), ("gateway", ways.gateway)):
                rates[name].append(_rate([*way, command], size, up=word == "up"))
        used = (cpu_seconds(ways.process) - used) / rounds
        best = {name: max(found) for name, found in rates.items()}
        for name, said in (("gateway", "through the gateway"), ("jump", "by ssh -J")):
            yield Figure(
                name=f"ssh: {size // 1_000_000} MB {word}, {said}",
                unit="MB/s",
                value=best[name],
                direct=best["direct"],
                ratio=best[name] / best["direct"],
            )
        times = best["gateway"] / best["jump"]
        yield Figure(name=f"ssh: {word}, the gateway to ssh -J", unit="times", value=times)
        yield Figure(name=f"ssh: {word}, gateway's processor time for 1 MB", unit="ms", value=used / size * 1e9)


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
    """Keys in turn to a terminal straight to the host and to one through the gateway: both see the same load."""
    with _typing(ways.direct) as straight, _typing(ways.gateway) as through:
        pairs = [(_echoed(straight), _echoed(through)) for _ in range(count)]
    direct, gateway = ([pair[place] for pair in pairs] for place in (0, 1))
    for part, word in ((0.5, "p50"), (0.99, "p99")):
        before, after = percentile(direct, part), percentile(gateway, part)
        yield Figure(
            name=f"ssh: echo of a key in a recorded terminal, {word}",
            unit="ms",
            value=after,
            direct=before,
            ratio=after / before,
        )
        yield Figure(name=f"ssh: echo of a key in a recorded terminal, {word} added", unit="ms", value=after - before)


@contextmanager
def _typing(way: Sequence[str]) -> Iterator[int]:
    """A terminal in which what is typed is echoed: the descriptor to type into and to read from."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    process = subprocess.Popen([*way[:-1], "-tt", way[-1], "echo ready; exec cat"], stdin=theirs, stdout=theirs)
    try:
        said = b""
        while b"ready" not in said:
            said += os.read(ours, 100)
        time.sleep(1)
        yield ours
    finally:
        process.terminate()
        process.wait()
        os.close(ours)
        os.close(theirs)


def _echoed(terminal: int) -> float:
    """Milliseconds from a key to its echo, after a pause as between keys."""
    time.sleep(0.002)
    began = time.perf_counter()
    os.write(terminal, b"x")
    while b"x" not in os.read(terminal, 100):
        continue
    return (time.perf_counter() - began) * 1000


def _recording(ways: Ways, size: int, rounds: int) -> Iterator[Figure]:
    """What a shell says in bulk, by two roles of which one keeps all and the other nothing: what recording costs.

    A terminal is always recorded, whatever the role. So the terminal is made on the host, inside of a command.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".log") as file:
        file.writelines(_log(size))
        file.flush()
        Path(file.name).chmod(0o644)
        for word, command in (
            ("of a shell", f"script -qec 'cat {file.name}' /dev/null </dev/null"),
            ("of a command", f"cat {file.name}"),
        ):
            rates: dict[str, list[float]] = {"direct": [], "kept": [], "unkept": []}
            for _ in range(rounds):
                rates["direct"].append(_rate([*ways.direct, command], size, up=False))
                for role in ("unkept", "kept"):
                    way = [one.replace("+operator", f"+{role}") for one in ways.gateway]
                    rates[role].append(_rate([*way, command], size, up=False))
            best = {name: max(found) for name, found in rates.items()}
            yield Figure(
                name=f"ssh: output {word} in bulk, recorded",
                unit="MB/s",
                value=best["kept"],
                direct=best["direct"],
                ratio=best["kept"] / best["direct"],
            )
            yield Figure(
                name=f"ssh: output {word} in bulk, time recorded to not recorded",
                unit="times",
                value=best["unkept"] / best["kept"],
            )


def _log(size: int) -> Iterator[str]:
    """Lines as they stand in logs, of so many bytes together."""
    words, written, number = [f"{one:x}" for one in range(100_000, 1_000_000, 9173)], 0, 0
    while written < size:
        number += 1
        some = " ".join(words[number * step % len(words)] for step in (3, 7, 11, 13, 17, 19))
        line = f"2026-11-30T16:{number % 60:02}:{number * 7 % 60:02}Z host-{number % 9} app[{number % 3000}]: {some}\n"
        written += len(line)
        yield line


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
