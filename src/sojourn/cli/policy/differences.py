"""How differences of two configurations are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from sojourn.cli.output import print_fields, print_line
from sojourn.domain.policy.difference import Difference, Kind


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


def print_shown(change: Mapping[str, Any]) -> None:
    """A proposed change as the API shows it, with what it means for people."""
    names = ("change", "status", "proposed_by", "proposed_at", "reason", "base", "digest", "decided_by", "version")
    print_fields({name: change[name] for name in names})
    print_differences([Difference(**{**one, "kind": Kind(one["kind"])}) for one in change["differences"]])
