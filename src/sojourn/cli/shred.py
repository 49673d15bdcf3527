"""sojourn shred: make what was sealed about somebody unreadable for good."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from sojourn.errors import Code, SojournError

from .client import call, given, place
from .common import Common
from .output import print_fields, print_json, print_later, print_line, print_table

COLUMNS = ("shredding", "status", "person", "classes", "requested_by", "confirmed_by", "values")


def shred(
    person: str = "",
    *,
    class_: Annotated[list[str] | None, Parameter(name="--class", negative="")] = None,
    reason: str = "",
    confirm: str = "",
    withdraw: str = "",
    after: int | None = None,
    common: Common | None = None,
) -> None:
    """Destroy the keys to what was sealed about a person. One administrator asks, another confirms.

    The statements, recordings, reasons and comments of that person can then not be read by anybody again, and every
    proof in the ledger still verifies. Without a person, all shreddings are listed.

    Example: sojourn shred alice --reason "left in 2019, asked for erasure"

    Example: sojourn shred --confirm sh-7k3m2q9x4h

    Parameters
    ----------
    person
        The id of the person whom it is about; they need not be in people.yaml any more.
    class_
        Only this class: statement, recording, reason or credential; may be given several times. Credentials, among
        them the password, are destroyed only when they are named.
    reason
        Why, to go on record.
    confirm
        Do what somebody else asked for. It cannot be undone.
    withdraw
        Do not do it after all.
    after
        Go on where the list stopped; it names the number.
    """
    common = common or Common()
    if sum(map(bool, (person, confirm, withdraw))) > 1:
        raise SojournError(
            Code.INPUT_INVALID, problem="That is more than one thing", expected="a person, --confirm or --withdraw"
        )
    if person:
        body = {"person": person, "classes": class_ or [], "reason": reason}
        _told(call(common, "POST", "/shreddings", body), common)
    elif confirm:
        _told(call(common, "POST", place("shreddings", confirm, "confirm")), common)
    elif withdraw:
        _told(call(common, "POST", place("shreddings", withdraw, "withdraw")), common)
    else:
        answered = call(common, "GET", "/shreddings", params=given(after=after))
        if common.json:
            print_json(answered)
        else:
            print_table(answered["shreddings"], COLUMNS, empty="Nothing was ever shredded.")
            print_later(answered)


def _told(answered: dict[str, Any], common: Common) -> None:
    if common.json:
        print_json(answered)
        return
    print_fields(answered)
    if answered["status"] == "pending":
        print_line(f"Another administrator runs: sojourn shred --confirm {answered['shredding']}")
    elif answered["status"] == "done":
        print_line(f"The proof: sojourn retention certificate {answered['shredding']}")
