"""sojourn request: ask for an access."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .client import call
from .common import Common
from .declaring import Declared, declared
from .output import print_json
from .telling import tell_asked


def request(
    target: str,
    *,
    role: str,
    duration: Annotated[str, Parameter(name="--for")],
    reason: str = "",
    start: str = "",
    facts: Declared | None = None,
    common: Common | None = None,
) -> None:
    """Ask for a role on a target for some time.

    Example: sojourn request shop --role read --for 30m --reason "INC-2041 wrong totals"

    Parameters
    ----------
    target
        The target's name.
    role
        One of its roles (see `sojourn targets`).
    duration
        How long, such as 90s, 30m, 2h.
    reason
        What happened, and what you will do.
    start
        When it begins, such as 2026-12-01T22:00:00Z; it can be activated from then until its end, which does not move.
    """
    common = common or Common()
    asked = {"target": target, "role": role, "duration": duration, "reason": reason, "start": start}
    answered = call(common, "POST", "/requests", {**asked, **declared(facts)})
    print_json(answered) if common.json else tell_asked(answered)
