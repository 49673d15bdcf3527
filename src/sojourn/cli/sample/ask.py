"""sojourn sample ask: ask somebody about an item of a sample."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common

from . import telling


def ask(sample: str, request: str, *, of: str, text: str, common: Common | None = None) -> None:
    """Ask somebody about one item of a sample; for auditors. The question is on record, and so is its answer.

    Example: sojourn sample ask sample-7k3m2q9x4h r-2m4n6p8q0r --of bob --text "Why on a Sunday?"

    Parameters
    ----------
    sample
        The sample's id.
    request
        The item: a request's id.
    of
        Who is asked.
    text
        What.
    """
    common = common or Common()
    body = {"request": request, "of": of, "text": text}
    telling.show(common, call(common, "POST", place("samples", sample, "questions"), body))
