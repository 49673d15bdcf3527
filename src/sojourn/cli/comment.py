"""sojourn comment: say or ask something about a request."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .client import call, place
from .common import Common
from .output import print_json, print_line


def comment(
    request: str,
    text: str,
    *,
    question: Annotated[bool, Parameter(negative="")] = False,
    answers: int | None = None,
    common: Common | None = None,
) -> None:
    """Say something about a request, for all whom it concerns. It goes on record, and is sealed.

    Example: sojourn comment r-7k3m2q9x4h "which table?" --question

    Parameters
    ----------
    request
        The request's id.
    text
        What you say.
    question
        It waits for an answer.
    answers
        The number of the question that it answers.
    """
    common = common or Common()
    said = {"text": text, "question": question, "answers": answers}
    answered = call(common, "POST", place("requests", request, "comments"), said)
    if common.json:
        print_json(answered)
        return
    print_line(f"Said as number {len(answered['comments'])} of {request}.")
