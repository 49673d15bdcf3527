"""sojourn request: ask for an access."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .client import call
from .common import Common
from .output import print_json, print_line


def request(
    target: str,
    *,
    role: str,
    duration: Annotated[str, Parameter(name="--for")],
    reason: str = "",
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
    """
    common = common or Common()
    asked = {"target": target, "role": role, "duration": duration, "reason": reason}
    answered = call(common, "POST", "/requests", asked)
    if common.json:
        print_json(answered)
        return
    print_line(f"Asked: {answered['request']}. {answered['approvals']} of these have to approve:")
    print_line(f"  {', '.join(answered['approvers'])}")
    print_line(f"They do it with: sojourn approve {answered['request']}")
