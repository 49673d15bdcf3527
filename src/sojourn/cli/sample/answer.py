"""sojourn sample answer: answer what an auditor asked about an item of a sample."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common

from . import telling


def answer(sample: str, number: int, *, text: str, common: Common | None = None) -> None:
    """Answer a question; for whoever was asked, and administrators. An answer is given once.

    Example: sojourn sample answer sample-7k3m2q9x4h 1 --text "The fix of INC-7 could not wait."

    Parameters
    ----------
    sample
        The sample's id.
    number
        The number of the question.
    text
        The answer.
    """
    common = common or Common()
    telling.show(common, call(common, "POST", place("samples", sample, "answers"), {"number": number, "text": text}))
