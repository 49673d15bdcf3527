"""sojourn hold place: keep what falls under a hold."""

from __future__ import annotations

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_fields, print_json
from sojourn.errors import Code, SojournError


def place(
    *,
    reason: str,
    person: str = "",
    grant: str = "",
    request: str = "",
    start: str = "",
    end: str = "",
    common: Common | None = None,
) -> None:
    """Place a legal hold. Nothing that it covers is shredded or disposed of until two people released it.

    Name a person, a grant or a request; or only --start, --end or both, for everything about everybody in that time.
    With a person, they narrow the hold to that time. A hold on a grant or request covers everybody who took part in
    it, in the time that it took.

    Example: sojourn hold place --grant g-7k3m2q9x4h --reason "case 12/2026"

    Example: sojourn hold place --start 2026-01-01T00:00:00Z --end 2026-04-01T00:00:00Z --reason "audit of Q1"

    Parameters
    ----------
    reason
        Why, to go on record.
    person
        A person's id.
    grant
        A grant's id.
    request
        A request's id.
    start
        The first moment that is held, in UTC.
    end
        The first moment that is held no longer, in UTC.
    """
    common = common or Common()
    named = {scope: name for scope, name in (("person", person), ("grant", grant), ("request", request)) if name}
    if len(named) > 1 or not (named or start or end):
        raise SojournError(
            Code.INPUT_INVALID,
            problem="A hold is on one thing",
            expected="one of --person, --grant and --request, or --start and --end",
        )
    scope, name = next(iter(named.items()), ("period", ""))
    body = {"scope": scope, "name": name, "start": start, "end": end, "reason": reason}
    answered = call(common, "POST", "/holds", body)
    print_json(answered) if common.json else print_fields(answered)
