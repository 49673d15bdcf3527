"""sojourn revise: ask for something else instead."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .client import call, place
from .common import Common
from .declaring import Declared, declared
from .output import print_json
from .telling import tell_asked


def revise(
    request: str,
    *,
    target: str = "",
    role: str = "",
    duration: Annotated[str, Parameter(name="--for")] = "",
    reason: str = "",
    start: str = "",
    facts: Declared | None = None,
    common: Common | None = None,
) -> None:
    """Change what a request asks for. It is decided anew: approvals were for what it was before.

    What you leave out stays as it is, save what you declared (reason code, incident, ticket, activities).

    Example: sojourn revise r-7k3m2q9x4h --for 1h

    Parameters
    ----------
    request
        The request's id.
    target
        Another target.
    role
        Another role.
    duration
        Another time, such as 90s, 30m, 2h.
    reason
        Another reason.
    start
        When it begins.
    """
    common = common or Common()
    shown = call(common, "GET", place("requests", request))
    asked = {
        "target": target or shown["target"],
        "role": role or shown["role"],
        "duration": duration or f"{shown['duration_seconds']}s",
        "reason": reason or shown["reason"] or "",
        "start": start or shown["start"] or "",
    }
    answered = call(common, "POST", place("requests", request, "revise"), {**asked, **declared(facts)})
    print_json(answered) if common.json else tell_asked(answered)
