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
    Room("/ledger", "Ledger"),
)

OVERSEERS = (Room("/overview", "Overview"),)


def rooms_of(person: Person | None) -> tuple[Room, ...]:
    """What `person` is shown a way to, in order."""
    if person is None:
        return ()
    return (*EVERYBODY, *OVERSEERS) if person.administrator or person.auditor else EVERYBODY
