"""sojourn review answer: reply to a question."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json

from .telling import tell


def answer(grant: str, number: int, text: str, *, common: Common | None = None) -> None:
    """Answer a question about an access of yours. It is on record.

    Example: sojourn review answer g-7k3m2q9x4h 1 "They were all stuck by the same fault, INC-2041."

    Parameters
    ----------
    grant
        The grant's id (see `sojourn review list --mine`).
    number
        The number of the question (see `sojourn review show`).
    text
        The answer.
    """
    common = common or Common()
    answered = call(common, "POST", place("reviews", grant, "notes"), {"text": text, "answers": number})
    print_json(answered) if common.json else tell(answered)
