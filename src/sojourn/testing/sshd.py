"""A host to test against: OpenSSH's server as Debian builds it, on a free port, with Sojourn's authority trusted."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from . import packages

PROGRAM = Path("/usr/sbin/sshd")
ACCOUNT = "sojourn-deploy"
"""The account of the host that roles log in as."""

CONFINED = "sojourn-confined"
"""The group of accounts that the host keeps within a folder."""

START_SECONDS = 10.0
PACKAGES = {
    "openssh-server": "/usr/sbin/sshd",
    "openssh-client": "/usr/bin/ssh",
    "openssh-sftp-server": "/usr/lib/openssh/sftp-server",
    "rsync": "/usr/bin/rsync",
    "git": "/usr/bin/git",
    "ansible-core": "/usr/bin/ansible",
    "sudo": "/usr/bin/sudo",
    "tmux": "/usr/bin/tmux",
    "xauth": "/usr/bin/xauth",
    "systemd-journal-remote": "/lib/systemd/systemd-journal-remote",
}
"""What is needed on the machine, and where it is then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sshd:
    """A running server. `host_key` is its public key, `log` what it says, `folder` where it keeps `CONFINED`."""

    port: int
    host_key: str
    revoked: Path
    folder: Path
    log: Path
    directory: Path
    address: str = "127.0.0.1"


CONFIGURATION = """\
Port {port}
ListenAddress {address}
HostKey {directory}/host
TrustedUserCAKeys {directory}/authority.pub
RevokedKeys {revoked}
AuthorizedKeysFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PidFile none
StrictModes no
PermitRootLogin prohibit-password
AcceptEnv LANG LC_* SOJOURN_* GW_TEST
Subsystem sftp internal-sftp
MaxStartups 500
MaxSessions {sessions}
AllowStreamLocalForwarding yes
X11Forwarding yes
LogLevel {log_level}
{more}
Match Group {confined}
  ChrootDirectory {folder}
"""
"""What the server is told."""


@contextmanager
def sshd(
    directory: Path,
    *,
    authority: str,
    sessions: int = 200,
    address: str = "127.0.0.1",
    more: str = "",
    log_level: str = "VERBOSE",
    certify: Callable[[str], str] | None = None,
) -> Iterator[Sshd]:
    """A server in the new `directory` that trusts `authority` (a public key) while the context lasts.

    It opens so many `sessions` on one connection; `more` is the rest of its configuration; `log_level` says how much it
    tells (OpenSSH's `LogLevel`); `certify` makes a host certificate of its public key. Needs to be root.
    """
    install()
    directory.mkdir(parents=True)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listener:
        port = listener.getsockname()[1]
    more += _write_keys(directory, authority, certify)
    revoked = directory / "revoked"
    # Root alone may write to it and to all above it, or sshd keeps nobody there.
    folder = Path(tempfile.mkdtemp(prefix="sojourn-folder-", dir="/srv"))
    folder.chmod(0o755)
    (folder / "inside").mkdir()
    (folder / "inside").chmod(0o777)
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", revoked], check=True)
    (directory / "sshd_config").write_text(
        CONFIGURATION.format(
            port=port,
            address=address,
            directory=directory,
            revoked=revoked,
            sessions=sessions,
            more=more,
            log_level=log_level,
            confined=CONFINED,
            folder=folder,
        )
    )
    log = directory / "log"
    log.touch()
    process = subprocess.Popen([PROGRAM, "-D", "-e", "-f", directory / "sshd_config"], stderr=subprocess.PIPE)
    writer = Thread(target=_write_log, args=(process, log), daemon=True)
    writer.start()
    try:
        _wait(process, (address, port), log)
        host_key = " ".join((directory / "host.pub").read_text().split()[:2])
        yield Sshd(
            port=port, host_key=host_key, revoked=revoked, folder=folder, log=log, directory=directory, address=address
        )
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _write_keys(directory: Path, authority: str, certify: Callable[[str], str] | None) -> str:
    """Make the host's key, with a certificate if there is one; gives what the configuration has to say of that."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "host"], check=True)
    (directory / "authority.pub").write_text(authority + "\n")
    if certify is None:
        return ""
    (directory / "host-cert.pub").write_text(certify((directory / "host.pub").read_text()) + "\n")
    return f"\nHostCertificate {directory}/host-cert.pub\n"


def _write_log(process: subprocess.Popen[bytes], log: Path) -> None:
    """Write what the server says as a syslog daemon does. Ends with the server and all that it has started."""
    assert process.stderr is not None
    # Opened once: what it has started may have something to say when the directory is gone already.
    with log.open("ab", buffering=0) as output:
        for line in process.stderr:
            now = datetime.now(UTC).isoformat(timespec="microseconds")
            output.write(f"{now} host sshd[{process.pid}]: ".encode() + line)


def _wait(process: subprocess.Popen[bytes], address: tuple[str, int], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(address, 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"sshd did not start: {log.read_text()}") from None
            time.sleep(0.02)
        else:
            return


def install() -> None:
    """Install what is missing, once on the machine. Raises RuntimeError where that is impossible."""
    Path("/run/sshd").mkdir(exist_ok=True)
    packages.install(PACKAGES)
    with packages.alone("accounts"):
        if subprocess.run(["id", ACCOUNT], check=False, capture_output=True).returncode:
            subprocess.run(["useradd", "-m", "-s", "/bin/bash", ACCOUNT], check=True, capture_output=True)
            subprocess.run(["usermod", "-p", "*", ACCOUNT], check=True, capture_output=True)
        subprocess.run(["groupadd", "-f", CONFINED], check=True, capture_output=True)
