"""sojourn review conclude: what was found."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line


def conclude(grant: str, *, outcome: str, answers: str, remark: str = "", common: Common | None = None) -> None:
    """Answer the checklist and say what you found. A review is concluded once.

    What has a no in its checklist, or an open question, is not simply appropriate; every other outcome needs a remark.

    Example: sojourn review conclude g-7k3m2q9x4h --outcome appropriate --answers yes,yes,yes,yes,not_applicable

    Parameters
    ----------
    grant
        The grant's id (see `sojourn review list`).
    outcome
        One of appropriate, appropriate_with_remarks, inappropriate, not_determinable.
    answers
        An answer to each point of the checklist, in order: yes, no or not_applicable, with commas between them.
    remark
        What you want to say about it.
    """
    common = common or Common()
    body = {"outcome": outcome, "answers": [one.strip() for one in answers.split(",")], "remark": remark}
    answered = call(common, "POST", place("reviews", grant, "conclude"), body)
    if common.json:
        print_json(answered)
    else:
        print_line(f"The review of {answered['grant']} is concluded: {answered['outcome']}.")
