"""sojourn break-glass: an access without a decision beforehand."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .client import call
from .common import Common
from .declaring import Declared, declared
from .login import read_secret
from .output import print_json, print_line


def break_glass(
    target: str,
    role: str,
    *,
    duration: Annotated[str, Parameter(name="--for")],
    reason: str,
    facts: Declared | None = None,
    common: Common | None = None,
) -> None:
    """Take an access at once, when nobody is there to decide, where a rule of the policy lets you.

    Your password is asked for again, or read from standard input when that is no terminal. Those whom the rule names
    are told in the same moment, all that you do is recorded, and its use is reviewed afterwards.

    Example: sojourn break-glass shop fix-status --for 30m --reason "INC-2041: orders are stuck, nobody answers"

    Parameters
    ----------
    target
        The target's name.
    role
        One of its roles.
    duration
        How long, such as 30m.
    reason
        What is burning, and what you will do.
    """
    common = common or Common()
    body = {"target": target, "role": role, "duration": duration, "reason": reason, **declared(facts)}
    codes = call(common, "GET", "/me")["second_factor"]
    body |= {"password": read_secret("Your password: ")}
    body |= {"code": read_secret("Code of your second factor: ")} if codes else {}
    answered = call(common, "POST", "/break-glass", body)
    if common.json:
        print_json(answered)
        return
    print_line(f"Taken: {answered['role']} on {answered['target']} until {answered['end']} ({answered['grant']}).")
    print_line("Those whom the rule names are told, and what you do is reviewed.")
    print_line(f"Work with: sojourn connect {answered['target']} --role {answered['role']}")
