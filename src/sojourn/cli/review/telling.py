"""How a review is told to people."""

from __future__ import annotations

from typing import Any

from sojourn.cli.output import print_fields, print_line


def tell(review: dict[str, Any]) -> None:
    """Print a review: what was done, the checklist, what was said, and what was found."""
    shown = {
        "review of": review["grant"],
        "status": review["status"],
        "who": review["person"],
        "what": f"{review['role']} on {review['target']}",
        "decided": "by nobody beforehand (break-glass)" if review["break_glass"] else "",
        "why": review["reason"],
        "declared": review["declared"],
        "due": review["due"],
        "reviewers": review["reviewers"],
        "done": f"{review['sessions']} sessions, {review['actions']} actions, {review['writes']} could write",
        "risk": f"{review['risk']['level']}: {'; '.join(review['risk']['reasons']) or 'nothing stands out'}",
        "in words": list(review["summary"]),
        "waits for": review["waits_for"] or "",
        "most of it": [f"{one['verb']} {one['objects']} ({one['times']}x)" for one in review["objects"][:10]],
        "outcome": f"{review['outcome']} (by {review['reviewer']})" if review["outcome"] else "",
        "remark": review["remark"],
    }
    print_fields(shown)
    answers = [*review["answers"], *([""] * len(review["checklist"]))]
    for number, point in enumerate(review["checklist"]):
        print_line(f"  {number + 1}. {point} {answers[number]}".rstrip())
    for one in review["notes"]:
        kind = "asks" if one["question"] else f"answers {one['answers']}" if one["answers"] else "says"
        print_line(f"{one['number']} {one['person']} {kind}: {one['text']}")
