"""The only place that wires things together, and the only one that touches clock, randomness and environment."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sojourn.errors import Code, SojournError
from sojourn.ledger.note import SigningKey
from sojourn.settings import Layout, Settings
from sojourn.vault.files import write_private
from sojourn.vault.keys import KeyPair, ensure_key_pair

_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that is taken for a digit."""

_ID_LENGTH = 10

EVIDENCE = "evidence"
"""The recipient of what people and auditors may read again; control holds its private key."""

GATEWAY = "gateway"
"""The recipient of what only a gateway may read; the gateway holds its private key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the command line takes from the process environment."""

    data_directory: Path
    client_directory: Path
    profile: str


def environment() -> Environment:
    """Read the environment: SOJOURN_DATA, SOJOURN_CLIENT_DIR and SOJOURN_AS, with their defaults."""
    home = Path.home()
    data = os.environ.get("SOJOURN_DATA") or str(home / ".local" / "share" / "sojourn")
    clients = os.environ.get("SOJOURN_CLIENT_DIR") or str(home / ".config" / "sojourn")
    return Environment(
        data_directory=Path(data), client_directory=Path(clients), profile=os.environ.get("SOJOURN_AS", "")
    )


def process_environment() -> dict[str, str]:
    """A copy of the whole environment, to be handed to a program that we start."""
    return dict(os.environ)


class SystemClock:
    """The machine's clock (implements `workflow.ports.Clock`)."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """A fresh id such as `r-7k3m2q9x4h`: 50 random bits, read aloud without mistakes."""
    return prefix + "-" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))


def new_password() -> str:
    """A fresh password of 256 random bits for a role in a target."""
    return secrets.token_urlsafe(32)


def operator() -> str:
    """Who runs this process on this machine, as it goes on record: `operator:<user name>`."""
    import pwd

    try:
        return f"operator:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"operator:{os.getuid()}"


def lay_out(root: Path) -> Layout:
    """The layout of a data directory, made absolute."""
    return Layout(root=root.expanduser().resolve())


def require_installation(layout: Layout) -> None:
    """Refuse a directory that holds no installation or that others can read.

    Raises SojournError `data.directory_missing` or `data.directory_open`.
    """
    if not layout.configuration.is_dir():
        raise SojournError(Code.DATA_DIRECTORY_MISSING, directory=str(layout.root))
    if layout.root.stat().st_mode & 0o077:
        raise SojournError(Code.DATA_DIRECTORY_OPEN, path=str(layout.root))


def prepare(layout: Layout, settings: Settings) -> None:
    """Make what a first start needs: run directory, signing key, key pairs, certificate. Changes nothing later."""
    from sojourn.vault.certificates import ensure_certificates

    for directory in (layout.run, layout.keys):
        directory.mkdir(mode=0o700, exist_ok=True)
    signing = layout.keys / "signing.key"
    if not signing.exists():
        key = SigningKey.generate(settings.scribe.origin, secrets.token_bytes(32))
        write_private(signing, key.format().encode() + b"\n")
        layout.verifier_key.write_text(key.vkey() + "\n")
    for recipient in (EVIDENCE, GATEWAY):
        ensure_key_pair(layout.keys, recipient)
    names = list(dict.fromkeys((settings.gateway.public_host, "localhost", "127.0.0.1")))
    ensure_certificates(layout.tls, names=names, now=SystemClock().now())


def signing_key(layout: Layout) -> SigningKey:
    """The ledger's signing key; only the scribe reads it."""
    return SigningKey.parse((layout.keys / "signing.key").read_text().strip())


def key_pair(layout: Layout, recipient: str) -> KeyPair:
    """A recipient's key pair."""
    return ensure_key_pair(layout.keys, recipient)


def read_settings(layout: Layout) -> Settings:
    """The settings of an installation."""
    from sojourn.configuration import read_settings as read

    return read(layout.configuration)


def serve(layout: Layout, only: str | None = None) -> int:
    """Run all processes under supervision, or one of them. Returns the exit code."""
    from sojourn.supervise import Process, Supervisor, sole_use

    require_installation(layout)
    settings = read_settings(layout)
    _configure_logging()
    if only is None:
        read_catalogue(layout)
        layout.run.mkdir(mode=0o700, exist_ok=True)
        with sole_use(layout):
            prepare(layout, settings)
            Supervisor(layout=layout, say=lambda text: structlog.get_logger("serve").info(text)).run()
        return 0
    match Process(only):
        case Process.SCRIBE:
            return _run_scribe(layout, settings)
        case Process.CONTROL:
            return _run_loop(_run_control(layout, settings))
        case Process.GATEWAY:
            return _run_loop(_run_gateway(layout, settings))


def _run_scribe(layout: Layout, settings: Settings) -> int:
    from sojourn.scribe import process

    return process.run(layout, settings.scribe, signing_key(layout), SystemClock().now, stop_fd=sys.stdin.fileno())
