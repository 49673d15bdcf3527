"""sojourn facts withdraw: something is no longer so."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.domain.people import FactKind


def withdraw(fact: FactKind, subject: str, *, common: Common | None = None) -> None:
    """Take back what was told about a schedule, a target, an incident or a ticket.

    Example: sojourn facts withdraw incident INC-2041

    Parameters
    ----------
    fact
        The kind: on_call, deployment, incident or ticket.
    subject
        What it was told about.
    """
    common = common or Common()
    answered = call(common, "POST", "/facts/withdraw", {"fact": fact, "subject": subject})
    print_json(answered) if common.json else print_line(f"Nothing is told about {subject} any more.")
