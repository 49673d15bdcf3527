"""What requests share: the options with which a requester declares what a rule may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from sojourn.errors import Code, SojournError


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a rule may ask for besides a reason. Approvers see it as it was declared."""

    reason_code: Annotated[str, Parameter(help="A reason code that the rule allows.")] = ""
    incident: Annotated[str, Parameter(help="The incident that is being worked on.")] = ""
    ticket: Annotated[str, Parameter(help="A ticket as KIND:ID:STATE, such as change:CHG-77:approved.")] = ""
    activity: Annotated[
        tuple[str, ...], Parameter(negative="", help="Something that you will do; can be given several times.")
    ] = ()


def declared(facts: Declared | None) -> dict[str, Any]:
    """The same as fields of a body. Raises SojournError `input.invalid` for what is no ticket."""
    facts = facts or Declared()
    ticket = None
    if facts.ticket:
        parts = facts.ticket.split(":")
        if len(parts) != 3 or not all(parts):
            raise SojournError(Code.INPUT_INVALID, problem=f"{facts.ticket!a} is no ticket", expected="KIND:ID:STATE")
        ticket = {"kind": parts[0], "id": parts[1], "state": parts[2]}
    return {
        "reason_code": facts.reason_code,
        "incident": facts.incident,
        "ticket": ticket,
        "activities": list(facts.activity),
    }
