"""The options that client commands share, and the profiles that they read: one private JSON file for each person."""

from __future__ import annotations

import json as json_format
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from sojourn.app.ambient import environment
from sojourn.errors import Code, SojournError
from sojourn.vault.files import read_private, write_private

DEFAULT_ADDRESS = "http://127.0.0.1:6580"
PROFILE = ("url", "person", "token")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Common:
    """Options of every client command."""

    as_: Annotated[
        str, Parameter(name="--as", help="Act as this person (default: SOJOURN_AS, or the only one signed in).")
    ] = ""
    json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False
    client_dir: Annotated[
        Path | None, Parameter(name="--client-dir", help="Where sign-ins are kept (default: SOJOURN_CLIENT_DIR).")
    ] = None

    @property
    def directory(self) -> Path:
        """Where the profiles lie."""
        return self.client_dir or environment().client_directory

    def profile(self) -> dict[str, Any]:
        """The sign-in that is meant: its `url`, `person` and `token`.

        Raises SojournError `credentials.missing` when there is none, `credentials.invalid` when its file is damaged.
        """
        path = self._path(self.as_ or environment().profile)
        if path is None or not path.exists():
            raise SojournError(Code.CREDENTIALS_MISSING)
        try:
            held = json_format.loads(read_private(path))
        except ValueError:
            held = None
        if not isinstance(held, dict) or not all(isinstance(held.get(name), str) for name in PROFILE):
            raise SojournError(Code.CREDENTIALS_INVALID)
        return held

    def _path(self, name: str) -> Path | None:
        if name:
            return self.directory / f"{Path(name).name}.json"
        held = sorted(self.directory.glob("*.json")) if self.directory.is_dir() else []
        return held[0] if len(held) == 1 else None

    def save(self, person: str, profile: dict[str, Any]) -> None:
        """Keep a sign-in (0600)."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.directory / f"{Path(person).name}.json", json_format.dumps(profile).encode())

    def forget(self, person: str) -> None:
        """Remove a sign-in."""
        (self.directory / f"{Path(person).name}.json").unlink(missing_ok=True)
