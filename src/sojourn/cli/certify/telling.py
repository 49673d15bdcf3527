"""How a campaign is told to people."""

from __future__ import annotations

from typing import Any

from sojourn.cli.output import print_fields, print_line, print_table

COLUMNS = ("number", "person", "target", "role", "rules", "reviewers", "decision", "decided_by", "proven_at")


def tell(answered: dict[str, Any]) -> None:
    """Print a campaign and its items."""
    print_fields(answered["campaign"])
    print_table(answered["items"], COLUMNS, empty="There is nothing in it.")
    if answered["more"]:
        print_line(f"There are more: --after {answered['next']}")
