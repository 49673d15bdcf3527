"""An installation on disk: its directories, keys, settings and files, and where its processes listen."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sojourn.errors import Code, SojournError
from sojourn.settings import Layout, SecondSignature, Settings

from .ambient import SystemClock

if TYPE_CHECKING:
    from sojourn.domain.catalogue import Catalogue
    from sojourn.ledger.note import LineSigner, Signer, Verifier
    from sojourn.vault.keys import KeyPair

EVIDENCE = "evidence"
"""The recipient of what people and auditors may read again; control holds its private key."""

GATEWAY = "gateway"
"""The recipient of what only a gateway may read; the gateway holds its private key."""


SSH_PLACE = "gateway-ssh.json"
"""Where the gateway leaves the address of its SSH door, in the run directory."""


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


def require_open(layout: Layout) -> None:
    """Refuse a ledger that another one follows, because its signing key may be in other hands.

    Raises SojournError `signing.compromised`.
    """
    if layout.closed.exists():
        follower = layout.closed.read_text(errors="replace").strip()
        raise SojournError(Code.SIGNING_COMPROMISED, directory=str(layout.root), follower=follower)


def prepare(layout: Layout, settings: Settings) -> None:
    """Make what a first start needs: run directory, signing key, key pairs, certificate. Changes nothing later.

    Raises SojournError, as `signing_key` does, when a ledger begins and its key cannot be had.
    """
    from sojourn.vault.certificates import ensure_certificates
    from sojourn.vault.keys import ensure_key_pair

    for directory in (layout.run, layout.keys):
        directory.mkdir(mode=0o700, exist_ok=True)
    _begin_ledger(layout, settings)
    for recipient in (EVIDENCE, GATEWAY):
        ensure_key_pair(layout.keys, recipient)
    names = list(dict.fromkeys((settings.gateway.public_host, "localhost", "127.0.0.1")))
    ensure_certificates(layout.tls, names=names, now=SystemClock().now())
    if settings.gateway.ssh:
        from sojourn.vault.ssh_authority import ensure_authorities, ensure_door

        layout.spool.mkdir(mode=0o700, exist_ok=True)
        ensure_authorities(layout.keys)
        ensure_door(layout.keys, names=[*names, *_hosts(layout)], now=SystemClock().now())


def signing_key(layout: Layout, settings: Settings) -> Signer:
    """The ledger's signing key; only the scribe uses it.

    Raises SojournError `settings.invalid`, `signing.unavailable`, `signing.changed`, `configuration.missing` (its PIN
    or token), `data.directory_open` or `tool.missing`.
    """
    from sojourn.vault.signing.address import parse_address
    from sojourn.vault.signing.place import open_key

    return open_key(
        parse_address(settings.scribe.signing_key),
        origin=settings.scribe.origin,
        pinned=pinned(layout.verifier_key, layout),
        file=signing_file(layout),
        secret_files=layout.configuration / "secrets",
    )


def second_signing_key(layout: Layout, settings: Settings) -> LineSigner | None:
    """The key of the second signature, if the settings ask for one; made in a file at the first start that does.

    Raises SojournError `signing.unavailable` when it is gone, `signing.changed` when another lies there.
    """
    if settings.scribe.second_signature is SecondSignature.NONE:
        return None
    from sojourn.vault.signing.second import second_key

    name = settings.scribe.origin if (key := pinned(layout.verifier_key, layout)) is None else key.name
    return second_key(layout.keys / "second.key", layout.second_verifier_key, name)


def next_signing_key(layout: Layout, settings: Settings) -> Signer | None:
    """The key that is to follow, while the ledger's key is being changed. Raises SojournError as `signing_key` does."""
    following = pinned(layout.next_verifier_key, layout)
    return None if following is None else open_next_key(layout, settings, following.name, following)


def open_next_key(layout: Layout, settings: Settings, name: str, expected: Verifier | None) -> Signer:
    """The key at `scribe.next_signing_key`, of the ledger `name`. Raises SojournError as `signing_key` does."""
    from sojourn.vault.signing.address import parse_address
    from sojourn.vault.signing.place import NEXT_KEEPER_FILE, open_key

    return open_key(
        parse_address(settings.scribe.next_signing_key),
        origin=name,
        pinned=expected,
        file=next_signing_file(layout),
        secret_files=layout.configuration / "secrets",
        keeper_file=NEXT_KEEPER_FILE,
    )


def _hosts(layout: Layout) -> tuple[str, ...]:
    """The names of the SSH hosts: a client that jumps to one expects the gateway to be called so."""
    try:
        catalogue, _ = read_catalogue(layout)
    except SojournError:
        # Files that cannot be read are refused elsewhere; what is in force goes on without them.
        return ()
    return tuple(target.name for target in catalogue.targets if target.ssh is not None)


def _begin_ledger(layout: Layout, settings: Settings) -> None:
    """Pin the key of a ledger that begins, made here if it is kept in a file. Does nothing for one that has begun."""
    from sojourn.vault.signing.address import FileAddress, parse_address
    from sojourn.vault.signing.place import make_key

    address = parse_address(settings.scribe.signing_key)
    if pinned(layout.verifier_key, layout) is not None:
        return
    if address == FileAddress() and not layout.ledger.exists():
        make_key(signing_file(layout), settings.scribe.origin)
    key = signing_key(layout, settings).verifier()
    _check_has_signed(layout, key)
    pin(layout.verifier_key, key)


def pin(path: Path, key: Verifier) -> None:
    """Write a public key whole or not at all: another process of this start may read it at any moment."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(key.vkey() + "\n")
    partial.rename(path)


def _check_has_signed(layout: Layout, key: Verifier) -> None:
    """Where `ledger.vkey` was lost, the key has to be that of the last checkpoint."""
    from sojourn.ledger import checkpoint as checkpoints
    from sojourn.ledger.errors import LedgerError

    try:
        checkpoints.open(layout.anchor.read_text(), key)
    except FileNotFoundError:
        return
    except (LedgerError, UnicodeDecodeError) as error:
        signer = f"the one that signed {layout.anchor}"
        raise SojournError(Code.SIGNING_CHANGED, vkey=key.vkey(), pinned=signer) from error


def pinned(path: Path, layout: Layout) -> Verifier | None:
    """The public key in a file of this installation; None where there is none. Raises SojournError `record.damaged`."""
    from sojourn.ledger.errors import LedgerError
    from sojourn.ledger.note import Verifier

    try:
        return Verifier.parse(path.read_text())
    except FileNotFoundError:
        return None
    except (LedgerError, UnicodeDecodeError) as error:
        problem = f"{path} holds no public key"
        raise SojournError(Code.RECORD_DAMAGED, problem=problem, path=str(layout.ledger)) from error


def signing_file(layout: Layout) -> Path:
    """Where the signing key lies that is kept in a file."""
    return layout.keys / "signing.key"


def next_signing_file(layout: Layout) -> Path:
    """Where the one lies that is to follow it."""
    return layout.keys / "next.key"


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
