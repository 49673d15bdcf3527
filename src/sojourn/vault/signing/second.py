"""The key of the second signature (ML-DSA-44), in a private file. Experimental."""

from __future__ import annotations

import secrets
from pathlib import Path

from sojourn.errors import Code, SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.second_key import SecondKey
from sojourn.vault.files import create_private, read_private, write_private

from .kept import unavailable


def second_key(file: Path, pin: Path, name: str) -> SecondKey:
    """The key in `file`, whose public half is pinned in `pin`; both are made when neither is there.

    Raises SojournError `signing.unavailable` or `signing.changed`.
    """
    if not pin.exists():
        create_private(file, SecondKey.generate(name, secrets.token_bytes(32)).format().encode() + b"\n")
    try:
        key = SecondKey.parse(read_private(file).decode())
    except OSError as error:
        raise unavailable(f"key file {file}", error.strerror or str(error)) from error
    except (LedgerError, UnicodeDecodeError) as error:
        raise unavailable(f"key file {file}", "it holds no key of ML-DSA-44") from error
    if not pin.exists():
        write_private(pin, f"{key.vkey()}\n".encode())
    pinned = pin.read_text(errors="replace").strip()
    if key.vkey() != pinned or key.name != name:
        raise SojournError(Code.SIGNING_CHANGED, vkey=key.vkey(), pinned=pinned)
    return key
