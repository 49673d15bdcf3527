"""What requests share: the options with which a requester declares what a rule may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a rule may ask for besides a reason. Of a ticket or an incident the record says what and in which state."""

    reason_code: Annotated[str, Parameter(help="A reason code that the rule allows.")] = ""
    incident: Annotated[str, Parameter(help="The incident that is being worked on.")] = ""
    ticket: Annotated[str, Parameter(help="The id of the ticket that it is about.")] = ""
    activity: Annotated[
        tuple[str, ...], Parameter(negative="", help="Something that you will do; can be given several times.")
    ] = ()


def declared(facts: Declared | None) -> dict[str, Any]:
    """The same as fields of a body."""
    facts = facts or Declared()
    return {
        "reason_code": facts.reason_code,
        "incident": facts.incident,
        "ticket": facts.ticket,
        "activities": list(facts.activity),
    }
