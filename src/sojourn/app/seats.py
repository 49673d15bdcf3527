"""Seats: by which name a control process is known to others that enforce the same ledger.

Each running process of an installation has a seat of its own, held by a lock that the kernel lets go with the process.
One that is started again sits down where the one before sat, under the same name: the leases of that one are its own.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from sojourn.settings import Layout


@contextmanager
def seat(layout: Layout, new_name: Callable[[], str]) -> Iterator[str]:
    """Hold the first free seat while the context lasts; gives its name, made by `new_name` when first taken."""
    for number in count():
        with (layout.run / f"control.{number}.seat").open("a+") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            held.seek(0)
            name = held.read().strip()
            if not name:
                name = new_name()
                held.write(name)
                held.flush()
            yield name
            return
