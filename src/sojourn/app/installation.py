"""An installation on disk: its directories, keys, settings and files, and where its processes listen."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sojourn.errors import Code, SojournError
from sojourn.settings import Layout, Settings

from .ambient import SystemClock

if TYPE_CHECKING:
    from sojourn.domain.catalogue import Catalogue
    from sojourn.ledger.note import SigningKey
    from sojourn.vault.keys import KeyPair

EVIDENCE = "evidence"
"""The recipient of what people and auditors may read again; control holds its private key."""

GATEWAY = "gateway"
"""The recipient of what only a gateway may read; the gateway holds its private key."""


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
    from sojourn.ledger.note import SigningKey
    from sojourn.vault.certificates import ensure_certificates
    from sojourn.vault.files import write_private
    from sojourn.vault.keys import ensure_key_pair

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
    from sojourn.ledger.note import SigningKey

    return SigningKey.parse((layout.keys / "signing.key").read_text().strip())


def key_pair(layout: Layout, recipient: str) -> KeyPair:
    """A recipient's key pair."""
    from sojourn.vault.keys import ensure_key_pair

    return ensure_key_pair(layout.keys, recipient)


def read_settings(layout: Layout) -> Settings:
    """The settings of an installation."""
    from sojourn.configuration import read_settings as read

    return read(layout.configuration)


def read_catalogue(layout: Layout) -> tuple[Catalogue, Mapping[str, bytes]]:
    """The catalogue of an installation's files, and the files. Raises SojournError `configuration.…`."""
    from sojourn.configuration import read_catalogue as read

    return read(layout.configuration)


def announced(path: Path) -> tuple[str, int] | None:
    """The address that a running process has left, or None."""
    try:
        held = json.loads(path.read_text())
        return str(held["host"]), int(held["port"])
    except (OSError, ValueError, KeyError):
        return None


def announce(path: Path, host: str, port: int) -> None:
    """Leave the address that is listened on where the command line and a restart find it."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"host": host, "port": port, "pid": os.getpid()}))
    partial.rename(path)


def same_port(path: Path, port: int) -> int:
    """With port 0 (any free one): the port of the process before, so that clients find a restarted one again."""
    known = announced(path)
    return known[1] if port == 0 and known is not None else port
