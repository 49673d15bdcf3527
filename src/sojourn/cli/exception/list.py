"""sojourn exception list: what targets and the record did not both know."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.client import call, given
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_more, print_table


def list(  # noqa: A001 - the word that people type
    *,
    target: str | None = None,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    before: int | None = None,
    common: Common | None = None,
) -> None:
    """List findings, newest first: those of which nobody has said what becomes of them.

    For administrators and auditors. The tests of access events that failed stand in the report access-events.

    Example: sojourn exception list --target shop

    Parameters
    ----------
    target
        Only those at this target.
    all_
        Those that were disposed of, too.
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    params = given(target=target, all="yes" if all_ else None, before=before)
    answered = call(common, "GET", "/findings", params=params)
    if common.json:
        print_json(answered)
        return
    columns = ("finding", "target", "kind", "subject", "since", "seq", "disposition", "owner", "ticket", "detail")
    print_table(answered["findings"], columns, empty="There are none.")
    print_more(answered)
