"""The disk is asked once in a while, and a "no" is never kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from sojourn.scribe.space import A_COMMIT, BELIEVED_SECONDS, Space

RESERVE = 1000


@dataclass(slots=True)
class Disk:
    """A disk that counts how often it is asked, and a clock that stands still."""

    free: int
    asked: int = 0
    seconds: float = 0.0
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        self.space = Space(self.ask, RESERVE, lambda: self.seconds)

    def ask(self) -> int:
        self.asked += 1
        return self.free


def test_what_the_disk_said_is_believed_for_a_moment() -> None:
    disk = Disk(free=1 << 40)
    assert all(disk.space.takes(400) for _ in range(100))
    assert disk.asked == 1
    disk.free = RESERVE
    disk.seconds += BELIEVED_SECONDS
    assert not disk.space.takes(400)
    assert disk.asked == 2


def test_it_is_asked_again_before_what_has_come_since_could_reach_into_the_reserve() -> None:
    disk = Disk(free=RESERVE + 10 * A_COMMIT)
    taken = 0
    while disk.space.takes(A_COMMIT):
        taken += 1
        disk.free -= 2 * A_COMMIT
    assert taken == 5
    assert disk.free == RESERVE


def test_that_there_is_no_room_is_asked_each_time() -> None:
    disk = Disk(free=RESERVE + 99)
    assert [disk.space.takes(100) for _ in range(3)] == [False] * 3
    assert disk.asked == 3
    assert disk.space.takes(99)
    disk.free = 1 << 40
    assert disk.space.takes(1 << 30)
