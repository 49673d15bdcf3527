"""The rooms that somebody finds in the navigation. It is a convenience: what they may see, each page asks anew."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.domain.people import Person


@dataclass(frozen=True, slots=True)
class Room:
    """A place in the navigation."""

    path: str
    title: str


EVERYBODY = (
    Room("/", "Home"),
    Room("/catalogue", "Ask"),
    Room("/requests", "Requests"),
    Room("/grants", "Access"),
    Room("/sessions", "Sessions"),
    Room("/reviews", "Reviews"),
    Room("/campaigns", "Campaigns"),
    Room("/samples", "Samples"),
    Room("/ledger", "Ledger"),
)
OVERSIGHT = (
    Room("/overview", "Overview"),
    Room("/people", "People"),
    Room("/targets", "Targets"),
    Room("/policy", "Policy"),
    Room("/attempts", "Refused"),
    Room("/exceptions", "Exceptions"),
    Room("/keeping", "Keeping"),
)
AUDITOR = (Room("/reports", "Reports"),)


def rooms_of(person: Person | None) -> tuple[Room, ...]:
    """What `person` is shown a way to, in order."""
    if person is None:
        return ()
    overseer = person.administrator or person.auditor
    return EVERYBODY + (OVERSIGHT if overseer else ()) + (AUDITOR if person.auditor else ())
