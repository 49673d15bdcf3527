"""How what passes through is counted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Flow:
    """One direction of one stream: how many bytes, and their hash."""

    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def take(self, data: bytes) -> None:
        """Count it."""
        self.size += len(data)
        self.digest.update(data)

    def __str__(self) -> str:
        """As it stands in an outcome."""
        return f"{self.size} bytes sha256 {self.digest.hexdigest()}"
