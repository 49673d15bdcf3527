"""What a program finds around it: clock, randomness, environment, the user it runs as. Nothing else reads these."""

from __future__ import annotations

import base64
import os
import secrets
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

BUILD = version("sojourn")
_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that is taken for a digit."""

_ID_LENGTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the command line takes from the process environment."""

    data_directory: Path
    witness_directory: Path
    client_directory: Path
    profile: str


def environment() -> Environment:
    """Read the environment: SOJOURN_DATA, SOJOURN_WITNESS_DATA, SOJOURN_CLIENT_DIR and SOJOURN_AS, with defaults."""
    home = Path.home()
    data = os.environ.get("SOJOURN_DATA") or str(home / ".local" / "share" / "sojourn")
    witness = os.environ.get("SOJOURN_WITNESS_DATA") or str(home / ".local" / "share" / "sojourn-witness")
    clients = os.environ.get("SOJOURN_CLIENT_DIR") or str(home / ".config" / "sojourn")
    return Environment(
        data_directory=Path(data),
        witness_directory=Path(witness),
        client_directory=Path(clients),
        profile=os.environ.get("SOJOURN_AS", ""),
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


def new_code() -> str:
    """A fresh one-time code of 120 random bits, in letters and digits that can be typed and stand on a command line."""
    return base64.b32encode(secrets.token_bytes(15)).decode().lower()


def operator() -> str:
    """Who runs this process on this machine, as it goes on record: `operator:<user name>`."""
    import pwd

    try:
        return f"operator:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"operator:{os.getuid()}"


def node(process: str) -> str:
    """This process's name in the record: the machine's and its own."""
    return f"{socket.gethostname()}/{process}"
