"""How much the disk can still take, asked once in a while and not for each commit.

Between two askings others may fill the disk. Then a write fails, which ends the scribe, and the next start finds that
nothing acknowledged was lost: the reserve makes that rare, and asking more often would not make it impossible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

BELIEVED_SECONDS = 0.05
A_COMMIT = 1 << 16
"""So many bytes a commit may take beside what has arrived: pages that it fills only in part, indexes, tiles."""


@dataclass(slots=True)
class Space:
    """Whether a disk can take something and keep its reserve. `free` asks it for its free bytes.

    What the disk said is believed for `BELIEVED_SECONDS` of `monotonic`, less what has been taken since. That there
    is no room is never believed: it is asked again.
    """

    free: Callable[[], int]
    reserve: int
    monotonic: Callable[[], float]
    _left: int = -1
    _until: float = 0.0

    def takes(self, arriving: int) -> bool:
        """Whether there is room for so many bytes more; if so, they count as taken."""
        self._left -= arriving + A_COMMIT
        now = self.monotonic()
        if self._left < 0 or now >= self._until:
            self._until = now + BELIEVED_SECONDS
            self._left = self.free() - self.reserve - arriving
        return self._left >= 0
