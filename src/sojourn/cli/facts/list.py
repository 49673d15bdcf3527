"""sojourn facts list: what was told."""

from __future__ import annotations

from sojourn.cli.client import call, given
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_more, print_table
from sojourn.domain.people import FactKind

COLUMNS = ("fact", "subject", "holds", "kind", "state", "people", "until", "told_by", "origin", "entry")


def list(  # noqa: A001 - the word that people type
    *, fact: FactKind | None = None, before: int | None = None, common: Common | None = None
) -> None:
    """List the last word about each thing, the last told first; also what does not hold any more.

    Example: sojourn facts list --fact ticket

    Parameters
    ----------
    fact
        Only this kind: on_call, deployment, incident or ticket.
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    answered = call(common, "GET", "/facts", params=given(fact=fact, before=before))
    if common.json:
        print_json(answered)
        return
    rows = [
        {**one, "kind": one["sort"], "people": one["people"] or [shift["person"] for shift in one["shifts"]]}
        for one in answered["facts"]
    ]
    print_table(rows, COLUMNS, empty="Nothing was told.")
    print_more(answered)
