"""How the commands of this group show a sample."""

from __future__ import annotations

from typing import Any

from sojourn.cli.common import Common
from sojourn.cli.output import print_fields, print_json, print_line


def show(common: Common, sample: dict[str, Any]) -> None:
    """A sample with its items and questions."""
    if common.json:
        print_json(sample)
        return
    names = ("sample", "person", "start", "end", "as_of", "seed", "population", "manifest_sha256")
    print_fields({name: sample[name] for name in names})
    print_line()
    for request in sample["requests"]:
        print_line(f"  {request}")
        for one in sample["questions"]:
            if one["request"] == request:
                print_line(f"    {one['number']}. {one['person']} to {one['of']}: {one['text']}")
                answered = "(open)" if one["answer"] is None else f"{one['answered_by']}: {one['answer']}"
                print_line(f"       {answered}")
