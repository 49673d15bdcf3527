"""Exceptions: what a test of an access event found wrong, and what becomes of it.

- Whoever disposes of an exception had no part in the access: they neither asked for it nor decided on it, by whatever
  account.
- It is an auditor or an administrator who does, and somebody known owns what has to follow.
- A disposition says why. It changes nothing about the access, and a later one does not undo it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sojourn.errors import Code, Refusal

from .catalogue import Adopted
from .events import Disposition, ExceptionDisposed
from .identifiers import PersonId
from .request import Request
from .sealed import Sealed

LETTERS = frozenset("ABCDEFGHIJKLM")


def may_dispose(adopted: Adopted, person: PersonId, involved: Collection[PersonId]) -> bool:
    """Whether `person` is an auditor or an administrator, and had no part in the access, by whatever account."""
    known = adopted.catalogue.person(person)
    own = adopted.policy.accounts.get(person, frozenset((person,)))
    return known is not None and (known.auditor or known.administrator) and own.isdisjoint(involved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispose:
    """Say what becomes of the tests in `letters` that failed."""

    person: PersonId
    letters: tuple[str, ...]
    disposition: Disposition
    owner: PersonId
    ticket: str
    remark: Sealed
    source: str


def dispose(state: Request, command: Dispose, adopted: Adopted) -> ExceptionDisposed | Refusal:
    """The event, or why there is none."""
    involved = {state.submitted.person, *state.approved_by, *(one.person for one in state.approvals)}
    if not may_dispose(adopted, command.person, involved):
        return Refusal(
            Code.PERMISSION_DENIED,
            {
                "person": command.person,
                "action": "dispose of exceptions of this access",
                "who": "an auditor or an administrator who had no part in it",
            },
        )
    letters = tuple(sorted(set(command.letters)))
    if not letters or not LETTERS.issuperset(letters):
        problem = f"{', '.join(command.letters)[:100] or 'Nothing'} names no tests"
        return Refusal(Code.INPUT_INVALID, {"problem": problem, "expected": "letters from A to M"})
    if adopted.catalogue.person(command.owner) is None:
        return Refusal(Code.PERSON_UNKNOWN, {"person": command.owner})
    return ExceptionDisposed(
        request=state.id,
        letters=letters,
        disposition=command.disposition,
        owner=command.owner,
        ticket=command.ticket,
        remark=command.remark,
        person=command.person,
        source=command.source,
    )
