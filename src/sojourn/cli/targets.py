"""sojourn targets: what one may ask for."""

from __future__ import annotations

from .client import call
from .common import Common
from .output import print_json, print_table, seconds_text


def targets(*, common: Common | None = None) -> None:
    """List the targets and roles that you may ask for, and under which terms.

    Example: sojourn targets
    """
    common = common or Common()
    answered = call(common, "GET", "/targets")
    if common.json:
        print_json(answered)
        return
    rows = [
        {
            "target": target["target"],
            "role": role["role"],
            "longest": seconds_text(role["longest_seconds"]),
            "approvals": f"{role['approvals']} of {', '.join(role['approvers'])}",
            "what": role["description"] or "; ".join(role["privileges"]),
        }
        for target in answered["targets"]
        for role in target["roles"]
    ]
    columns = ("target", "role", "longest", "approvals", "what")
    print_table(rows, columns, empty="No rule of the policy lets you ask for anything.")
