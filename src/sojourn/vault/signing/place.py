"""The signing key of a ledger, from where the settings say that it is kept.

Its public half is pinned when the ledger begins, and every later start compares: what now lies at the address has to
be that key. While it is being changed there is a second one, with a pin and a PIN of its own.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import assert_never

from sojourn.errors import Code, SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Signer, SigningKey, Verifier
from sojourn.vault.files import create_private, read_private
from sojourn.vault.secrets import read_secret

from .address import Address, AwsAddress, FileAddress, GcpAddress, Pkcs11Address, TransitAddress
from .kept import unavailable

KEEPER_FILE = "signing_key"
"""The file in `secrets/` with the PIN of the token, or the token of the transit engine."""

NEXT_KEEPER_FILE = "next_signing_key"
"""The same for the key that is to follow."""


def make_key(file: Path, origin: str) -> None:
    """Make a key in a private file for a ledger that begins, unless there is one."""
    key = SigningKey.generate(origin, secrets.token_bytes(32))
    create_private(file, key.format().encode() + b"\n")


def open_key(
    address: Address,
    *,
    origin: str,
    pinned: Verifier | None,
    file: Path,
    secret_files: Path,
    keeper_file: str = KEEPER_FILE,
) -> Signer:
    """The key at `address`: of the ledger that `pinned` begins with, or for a new one with the name `origin`.

    Raises SojournError `signing.unavailable` when it cannot be had, `signing.changed` when another lies there,
    `configuration.missing` without its PIN or token, `data.directory_open` when others can read one of the files.
    """
    name = origin if pinned is None else pinned.name
    match address:
        case FileAddress():
            key: Signer = _from_file(file)
        case Pkcs11Address():
            from .pkcs11 import pkcs11_key

            key = pkcs11_key(address, name=name, pin=read_secret(secret_files, keeper_file))
        case TransitAddress():
            from .transit import transit_key

            token = read_secret(secret_files, keeper_file)
            # The engine may have turned the key since: ours is the version that the ledger began with.
            key = transit_key(address, name=name, token=token, public=pinned.public if pinned else None)
        case AwsAddress():
            from .aws import aws_key

            key = aws_key(address, name=name)
        case GcpAddress():
            from .gcp import gcp_key

            key = gcp_key(address, name=name)
        case _:
            assert_never(address)
    if pinned is not None and key.verifier() != pinned:
        raise SojournError(Code.SIGNING_CHANGED, vkey=key.vkey(), pinned=pinned.vkey())
    return key


def _from_file(file: Path) -> SigningKey:
    try:
        return SigningKey.parse(read_private(file).decode().strip())
    except OSError as error:
        raise unavailable(f"key file {file}", error.strerror or str(error)) from error
    except (LedgerError, UnicodeDecodeError) as error:
        raise unavailable(f"key file {file}", "it holds no signing key") from error
