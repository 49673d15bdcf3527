"""sojourn watch: see what is shown in a session while it lasts."""

from __future__ import annotations

import sys
import time

from sojourn.domain import cast
from sojourn.domain.curtain import ENDS, Curtain

from .common import Common
from .output import print_line
from .recording import lines_of, parts

POLL_SECONDS = 0.5


def watch(session: str, *, action: int = 0, common: Common | None = None) -> None:
    """Follow a session that is open, about a second behind it. `sojourn stop` ends it.

    Example: sojourn watch s-7k3m2q9x4h

    Parameters
    ----------
    session
        The session's id (see `sojourn sessions --open`).
    action
        The action of this number; the first that is recorded by default.
    """
    common = common or Common()
    after, over, curtain = 0, False, Curtain()
    while not over:
        for answered in parts(common, session, action, after):
            action = answered["action"]
            after = max((one["part"] for one in answered["parts"]), default=after)
            for one in cast.moments(lines_of(answered)):
                over = over or one.code == "x"
                if one.code in "oe":
                    sys.stdout.write(curtain.shown(cast.shown(one.text)))
                    sys.stdout.flush()
            over = over or answered["closed"]
        if not over:
            time.sleep(POLL_SECONDS)
    sys.stdout.write(ENDS if sys.stdout.isatty() else "")
    print_line()
    print_line("It is over.")
