"""sojourn exception dispose: what becomes of tests that failed, or of a finding."""

from __future__ import annotations

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.domain.events import Disposition


def dispose(
    name: str,
    *,
    tests: str = "",
    disposition: Disposition,
    owner: str,
    remark: str,
    ticket: str = "",
    common: Common | None = None,
) -> None:
    """Say on record what becomes of tests that failed, or of a finding, and who sees to what has to follow.

    For auditors and administrators who had no part in the access. Of an access event, test J passes from then on, and
    the tests that failed stay failed. A finding is what a target and the record did not both know.

    Example: sojourn exception dispose r-7k3m2q9x4h --tests H --disposition corrected --owner erin --remark "..."

    Parameters
    ----------
    name
        The request's id, as reports list it; or that of a finding, as `sojourn exception list` does.
    tests
        Of a request, the letters of the tests, such as H or BC.
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
    said = {"disposition": disposition, "owner": owner, "remark": remark, "ticket": ticket}
    if name.startswith("f-") and not tests:
        answered = call(common, "POST", place("findings", name, "disposition"), said)
        about = answered["finding"]
    else:
        letters = sorted(set(tests.replace(",", "").replace(" ", "").upper()))
        answered = call(common, "POST", place("requests", name, "disposition"), {"tests": letters, **said})
        about = f"{answered['request']} {' '.join(answered['tests'])}"
    if common.json:
        print_json(answered)
    else:
        print_line(f"{about}: {answered['disposition']}, owner {answered['owner']}.")
