"""The files of SSH in the client directory: a key pair, its certificate, known hosts, and a configuration."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sojourn.app.ambient import SystemClock
from sojourn.errors import Code, SojournError
from sojourn.vault.files import create_private, write_private
from sojourn.vault.ssh_authority import private_file, public_line

from .client import call
from .common import Common


@dataclass(frozen=True, slots=True, kw_only=True)
class SshFiles:
    """Where they lie for one person."""

    directory: Path

    @property
    def key(self) -> Path:
        """The private key."""
        return self.directory / "id_ed25519"

    @property
    def certificate(self) -> Path:
        """Its certificate, where OpenSSH looks for it."""
        return self.directory / "id_ed25519-cert.pub"

    @property
    def known_hosts(self) -> Path:
        """The authority of gateways' host keys."""
        return self.directory / "known_hosts"

    @property
    def configuration(self) -> Path:
        """What `ssh -F` or an Include reads."""
        return self.directory / "config"


def files_of(common: Common, person: str) -> SshFiles:
    """The files of a person."""
    return SshFiles(directory=common.directory / "ssh" / Path(person).name)


def renew(common: Common, person: str) -> dict[str, Any]:
    """Make the key pair if there is none, and get a fresh certificate for it; gives what the API answered."""
    files = files_of(common, person)
    files.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not files.key.exists():
        private = Ed25519PrivateKey.generate()
        if create_private(files.key, private_file(private)):
            write_private(files.key.with_suffix(".pub"), f"{public_line(private)} {person}\n".encode())
    public = files.key.with_suffix(".pub").read_text()
    answered: dict[str, Any] = call(common, "POST", "/ssh-keys", {"public_key": public.strip()})
    write_private(files.certificate, answered["certificate"].encode() + b"\n")
    write_private(files.known_hosts, f"@cert-authority * {answered['authority']}\n".encode())
    return answered


def add_to_agent(files: SshFiles, expires_at: str) -> None:
    """Give key and certificate to the agent that is running, for as long as they are good.

    Raises SojournError `input.invalid` where no agent takes them.
    """
    seconds = (datetime.fromisoformat(expires_at) - SystemClock().now()).total_seconds()
    try:
        # It takes the certificate that lies beside the key as well.
        done = subprocess.run(
            ["ssh-add", "-q", "-t", str(max(1, int(seconds))), str(files.key)],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise SojournError(Code.TOOL_MISSING, tool="ssh-add", remedy="Install OpenSSH's client.") from error
    if done.returncode:
        problem = f"No agent took the key: {done.stderr.strip() or done.returncode}"
        raise SojournError(Code.INPUT_INVALID, problem=problem, expected="an agent that runs: eval $(ssh-agent)")
