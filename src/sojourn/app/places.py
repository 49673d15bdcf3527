"""How far a reader of the ledger is, in a small file of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PlaceFile:
    """Implements `notify.courier.Place` and `evidence.forwarding.forwarder.Place`."""

    path: Path

    def read(self) -> int | None:
        """The place of the next entry; None without the file."""
        try:
            return int(self.path.read_text())
        except (OSError, ValueError):
            return None

    def write(self, place: int) -> None:
        """Keep it, whole or not at all. Raises OSError."""
        partial = self.path.with_suffix(".partial")
        partial.write_text(str(place))
        partial.rename(self.path)
