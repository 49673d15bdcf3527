"""How differences of two configurations are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sojourn.cli.output import print_line
from sojourn.domain.policy.difference import Difference


def as_json(found: Iterable[Difference]) -> list[dict[str, Any]]:
    """The differences as plain values."""
    return [
        {"person": one.person, "kind": one.kind, "what": one.what, "before": one.before, "after": one.after}
        for one in found
    ]


def print_differences(found: Sequence[Difference]) -> None:
    """The differences by person; first what concerns everybody."""
    if not found:
        print_line("Nothing changes for anybody.")
    for person, own in groupby(found, key=lambda one: one.person):
        print_line(person or "everybody")
        for one in own:
            print_line(f"  {one.kind} {one.what}")
            for sign, said in (*(("-", text) for text in one.before), *(("+", text) for text in one.after)):
                print_line(f"    {sign} {said}")
