"""How many files the system lets this process have open: each session of the gateway takes two, one for each side."""

from __future__ import annotations

import resource

FILES_OF_A_SESSION = 2
HALF_OPEN_FACTOR = 1
"""As many connections again may be open that have not logged in yet, of one file each."""

FILES_BESIDE = 200


def allow_sessions(count: int) -> int:
    """Let the process open the files that `count` sessions take, as far as the system allows it.

    Gives for how many sessions there is room then, at most `count`. Systems start programs with 1,024 files by custom,
    and let them have many more if they ask.
    """
    each = FILES_OF_A_SESSION + HALF_OPEN_FACTOR
    wanted = count * each + FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return count
    return max(0, (soft - FILES_BESIDE) // each)
