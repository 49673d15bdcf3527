"""sojourn exception dispose: what becomes of tests that failed."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.domain.events import Disposition


def dispose(
    request: str,
    *,
    tests: str,
    disposition: Disposition,
    owner: str,
    remark: str,
    ticket: str = "",
    common: Common | None = None,
) -> None:
    """Say on record what becomes of the tests of an access event that failed, and who sees to what has to follow.

    For auditors and administrators who had no part in the access. Test J passes from then on; the tests that failed
    stay failed.

    Example: sojourn exception dispose r-7k3m2q9x4h --tests H --disposition corrected --owner erin --remark "..."

    Parameters
    ----------
    request
        The request's id, as reports list it.
    tests
        The letters of the tests, such as H or BC.
    disposition
        What becomes of them: corrected, accepted, not_an_exception or deficiency.
    owner
        Who sees to what has to follow.
    remark
        Why.
    ticket
        Under which ticket.
    """
    common = common or Common()
    body = {
        "tests": sorted(set(tests.replace(",", "").replace(" ", "").upper())),
        "disposition": disposition,
        "owner": owner,
        "remark": remark,
        "ticket": ticket,
    }
    answered = call(common, "POST", place("requests", request, "disposition"), body)
    if common.json:
        print_json(answered)
    else:
        letters = " ".join(answered["tests"])
        print_line(f"{answered['request']} {letters}: {answered['disposition']}, owner {answered['owner']}.")
