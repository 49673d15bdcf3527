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
)


def rooms_of(person: Person | None) -> tuple[Room, ...]:
    """What `person` is shown a way to, in order."""
    return () if person is None else EVERYBODY
