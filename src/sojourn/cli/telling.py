"""How requests are told to people."""

from __future__ import annotations

from typing import Any

from .output import print_line


def tell_asked(answered: dict[str, Any]) -> None:
    """Say what was asked and who decides, or that nobody has to."""
    name = answered["request"]
    if answered["status"] == "activated":
        print_line(f"Asked and given: {name} ({answered['automatic']}). See: sojourn show {answered['grant']}")
        return
    if answered["status"] == "approved":
        print_line(f"Asked: {name}. No decision is needed ({answered['automatic']}).")
        print_line(f"Begin with: sojourn activate {name}")
        return
    groups = answered["groups"]
    print_line(f"Asked: {name}. {answered['approvals']} of these have to approve:")
    for group in groups:
        prefix = f"{group['needed']} of {group['name']}: " if len(groups) > 1 else ""
        print_line(f"  {prefix}{', '.join(group['people'])}")
    print_line(f"They do it with: sojourn approve {name}")
