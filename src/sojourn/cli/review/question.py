"""sojourn review question: ask the holder."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json

from .telling import tell


def question(grant: str, text: str, *, common: Common | None = None) -> None:
    """Ask the holder of an access about what was done. It is on record, and so is the answer.

    Example: sojourn review question g-7k3m2q9x4h "Why was the status of all orders set?"

    Parameters
    ----------
    grant
        The grant's id.
    text
        The question.
    """
    common = common or Common()
    answered = call(common, "POST", place("reviews", grant, "notes"), {"text": text, "question": True})
    print_json(answered) if common.json else tell(answered)
