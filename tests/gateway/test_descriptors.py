"""The gateway asks the system for as many open files as its sessions take, and says how many it gets."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = """
import resource, sys
soft, hard, count = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
from sojourn.app.descriptors import allow_sessions
room = allow_sessions(count)
print(room, *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "count", "expected"),
    [
        pytest.param(256, 4000, 1000, (1000, 3200, 4000), id="raised"),
        pytest.param(256, 1400, 1000, (400, 1400, 1400), id="as-far-as-allowed"),
        pytest.param(3500, 4000, 1000, (1000, 3500, 4000), id="enough-already"),
        pytest.param(64, 100, 1000, (0, 100, 100), id="none-at-all"),
    ],
)
def test_a_process_gets_the_files_that_its_sessions_take_as_far_as_the_system_allows(
    soft: int, hard: int, count: int, expected: tuple[int, int, int]
) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(soft), str(hard), str(count)], capture_output=True, text=True, check=True
    )
    assert tuple(map(int, told.stdout.split())) == expected
